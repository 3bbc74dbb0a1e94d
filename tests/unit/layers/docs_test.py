"""What a document names is there: links, files, tests, options, identifiers; and every code is in a document.

usage: docs_test.py SOURCE_ROOT

Names are what stands in back-ticks outside of fenced blocks.  A file may be named from the document's folder,
from the project's, or by the end of its path.  An identifier (it has an underscore) and an option must occur
in some file that is no document.  A code, TERCET_..., is what programs of others look at.
"""

import fnmatch
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1])

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
QUOTED = re.compile(r"`([^`\n]+)`")
FILE = re.compile(r"[\w./*-]+\.(?:c|h|cc|py|js|go|java|md|proto|sql|txt|pml|cmake)")
TEST = re.compile(r"(\w*[a-z]\w*\*?)\.([A-Z]\w+[a-z]\w*|\*)(?:/\w+)?")
WORD = re.compile(r"(?<!-)--[a-z][a-z-]+|\b[A-Za-z]\w*_\w*\w\b")
CODE = re.compile(r'"(TERCET_[A-Z_]+)"')
DEFINED = re.compile(r"TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)")

# Who says codes, and where they are explained.
SPEAKERS = ("coordinator/engine/", "coordinator/service/", "coordinator/participant/", "participant-sdk/src/",
            "participant-sdk/include/")
MANUALS = ("docs/", "participant-sdk/README.md", "participant-sdk/include/")
# Told to a caller that has gone.
UNHEARD = {"TERCET_FORGOTTEN_CALL"}

# Placeholders of the house's rules; where a package installs; names that CMake puts together; names of others.
ELSEWHERE = {"x_init", "x_deinit", "x_create", "x_destroy", "x_open", "x_close", "x_start", "x_stop", "x_ref",
             "x_unref", "share/tercet/sql/postgres.sql",
             "share/tercet/sql/postgres_functions.sql", "languages_python", "fuzz_corpus", "--tool", "tcc_fence_log"}


def main():
    names = tracked()
    documents = [name for name in names if name.endswith(".md")]
    sources = [name for name in names if not name.endswith((".md", "/docs_test.py")) and "/corpus/" not in name]
    text = "\n".join((ROOT / name).read_text(encoding="utf-8", errors="replace") for name in sources)
    known = Known(names, set(DEFINED.findall(text)), text + "\n".join(names))
    wrong = [f"{name}: {what}" for name in documents for what in look(name, known)]
    wrong += unexplained(names)
    print("\n".join(wrong) or f"{len(documents)} documents name what is there")
    sys.exit(1 if wrong else 0)


class Known:
    def __init__(self, files, tests, text):
        self.files = files
        self.tests = tests
        self.words = set(re.findall(r"\w+", text)) | ELSEWHERE
        self.options = set(re.findall(r"[a-z][a-z-]+", text)) | {name[2:] for name in ELSEWHERE}

    def has_file(self, name):
        return name in ELSEWHERE or any(fnmatch.fnmatch("/" + file, "*/" + name) for file in self.files)

    def has_test(self, suite, test):
        return any(fnmatch.fnmatch(s, suite) and fnmatch.fnmatch(t, test) for s, t in self.tests)

    def has_word(self, word):
        if word.startswith("--"):
            return word[2:] in self.options
        return any(form in self.words for form in (word, word.removeprefix("D"), word.removeprefix("TERCET_").lower()))


def tracked():
    """The project's files: what git knows, or, without it, all but what is built."""
    if shutil.which("git"):
        listed = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=False)
        if listed.returncode == 0 and listed.stdout:
            return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [path.as_posix() for path in paths if path.parts[0] not in ("build", ".git") and "node_modules" not in path.parts]


def look(document, known):
    text = (ROOT / document).read_text(encoding="utf-8")
    for target in LINK.findall(text):
        if not target.startswith("http") and not leads_somewhere(ROOT / document, target):
            yield f"the link to {target} leads nowhere"
    for quoted in QUOTED.findall(FENCED.sub("", text)):
        test = TEST.fullmatch(quoted)
        if FILE.fullmatch(quoted):
            if not known.has_file(quoted.removeprefix("../")):
                yield f"no file `{quoted}`"
        elif test and document == "docs/testing.md":
            if not known.has_test(*test.groups()):
                yield f"no test `{quoted}`"
        else:
            yield from (f"`{word}` is nowhere" for word in WORD.findall(quoted) if not known.has_word(word))


def unexplained(names):
    def text_of(folders):
        return "\n".join((ROOT / name).read_text(encoding="utf-8") for name in names if name.startswith(folders))

    told = set(CODE.findall(text_of(SPEAKERS))) - UNHEARD
    manual = text_of(MANUALS)
    return [f"no document has the code {code}" for code in sorted(told) if code not in manual]


def leads_somewhere(document, target):
    path, _, anchor = target.partition("#")
    path = document.parent / path if path else document
    if not path.exists():
        return False
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
    return not anchor or anchor in (re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings)


if __name__ == "__main__":
    main()
