"""Installs the build into an empty prefix, moves it, and is a stranger there.

The prefix is renamed after the installation, so that nothing may depend on where it was built or
installed first.  Then:

  headers     each public header compiles alone, as C11, C17 and C++17
  find_shared, find_static   a CMake project that knows find_package(Tercet) only
  pkg_config  one compiler call with pkg-config's flags
  pkg_static  the same with --static, where there is no shared library
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
OUTSIDE = HERE / "outside"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
RUN_TIMEOUT_S = 60

arguments = None
prefix = None


def run(*command, env=None):
    """Its output; a failure shows the output."""
    command = [str(part) for part in command]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False,
        env={**os.environ, **(env or {})},
    )
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\nexit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def sanitizer_flags():
    return [f"-fsanitize={arguments.sanitize}"] if arguments.sanitize else []


def libraries_of(program):
    """What the dynamic linker would load, by name."""
    return run("readelf", "-d", program)


class Install(unittest.TestCase):
    def libdir(self):
        return prefix / arguments.libdir

    def run_outside(self, program):
        told = run(program, env={"LD_LIBRARY_PATH": str(self.libdir())})
        self.assertTrue(told.startswith("ok 127.0.0.1:"), told)

    def find_package(self, library, source="outside.c"):
        build = prefix.parent / f"build_{library}"
        run(
            arguments.cmake, "-S", OUTSIDE, "-B", build, "-G", arguments.generator,
            f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={arguments.cc}",
            f"-DCMAKE_C_FLAGS={' '.join(STRICT + sanitizer_flags())}", f"-DLIBRARY={library}", f"-DSOURCE={source}",
        )
        run(arguments.cmake, "--build", build)
        self.run_outside(build / "outside")
        return build / "outside"

    def pkg_config(self, *flags, package="tercet"):
        search = {"PKG_CONFIG_PATH": str(self.libdir() / "pkgconfig")}
        return run("pkg-config", *flags, package, env=search).split()

    def build_by_pkg_config(self, program, *flags, package="tercet", source="outside.c"):
        run(
            arguments.cc, *STRICT, *sanitizer_flags(), *self.pkg_config("--cflags", package=package),
            OUTSIDE / source, "-o", program, *self.pkg_config(*flags, "--libs", package=package),
        )
        self.run_outside(program)

    def test_every_file_is_there(self):
        want = [
            "include/tercet/tercet.h",
            f"{arguments.libdir}/libtercet.so",
            f"{arguments.libdir}/libtercet.a",
            f"{arguments.libdir}/pkgconfig/tercet.pc",
            f"{arguments.libdir}/cmake/Tercet/TercetConfig.cmake",
            "share/tercet/protos/tercet/v1/coordinator.proto",
            "share/tercet/protos/tercet/v1/participant.proto",
            "share/doc/tercet/LICENSE",
        ]
        if (Path(arguments.build) / "coordinator" / "tercetd").exists():
            want.append("bin/tercetd")
        if (Path(arguments.build) / "conformance" / "tercet-conformance").exists():
            want.append("bin/tercet-conformance")
        self.assertEqual([], [name for name in want if not (prefix / name).exists()])

    def test_the_shared_library_is_versioned_and_exports_only_the_public_names(self):
        library = (self.libdir() / "libtercet.so").resolve()
        version = self.pkg_config("--modversion")[0]
        self.assertEqual(f"libtercet.so.{version}", library.name)
        soname = f"libtercet.so.{version.rsplit('.', 1)[0]}"
        self.assertIn(f"[{soname}]", libraries_of(library))
        self.assertTrue((self.libdir() / soname).is_symlink())
        names = [line.split()[-1] for line in run("nm", "-D", "--defined-only", library).splitlines()]
        ours = [name for name in names if not name.startswith(("__asan", "__ubsan", "__tsan"))]
        self.assertEqual([], [name for name in ours if not name.startswith("tercet_")])

    def test_no_installed_text_names_the_source_or_the_build(self):
        # As a path of its own: a clone may lie at /tercet, and share/tercet is ours.
        source = re.compile(r"(?<![\w}.-])" + re.escape(str(HERE.parents[2])) + r"(?![\w-])")
        for file in prefix.rglob("*"):
            if file.suffix in (".cmake", ".pc", ".h", ".proto"):
                self.assertIsNone(source.search(file.read_text()), file)

    def test_every_header_compiles_alone(self):
        headers = sorted((prefix / "include" / "tercet").glob("*.h"))
        self.assertGreaterEqual(len(headers), 6)
        for header in headers:
            for compiler, language, standard in (
                (arguments.cc, "c", "c11"), (arguments.cc, "c", "c17"), (arguments.cxx, "c++", "c++17"),
            ):
                with self.subTest(header=header.name, standard=standard):
                    unit = prefix.parent / f"alone.{'c' if language == 'c' else 'cc'}"
                    unit.write_text(f"#include <tercet/{header.name}>\nint main(void) {{ return 0; }}\n")
                    run(compiler, "-x", language, f"-std={standard}", *STRICT, "-fsyntax-only",
                        f"-I{prefix / 'include'}", unit)

    def test_find_package_shared(self):
        self.assertIn("libtercet.so", libraries_of(self.find_package("tercet")))

    def test_find_package_static(self):
        self.assertNotIn("libtercet.so", libraries_of(self.find_package("tercet_static")))

    def stores(self):
        """Stores in libraries of their own that were built, and the client library of each."""
        for name, client in (("postgres", "libpq.so"), ("mariadb", "libmariadb.so")):
            if (prefix / "include" / "tercet" / f"store_{name}.h").exists():
                with self.subTest(store=name):
                    yield name, client

    def test_only_a_store_needs_its_database(self):
        for name, client in self.stores():
            self.assertNotIn(client, libraries_of(self.libdir() / "libtercet.so"))
            library = libraries_of(self.libdir() / f"libtercet-{name}.so")
            for needed in (client, "libtercet.so"):
                self.assertIn(needed, library)
            self.assertTrue((prefix / "share" / "tercet" / "sql" / f"{name}.sql").exists())

    def test_find_package_of_a_store(self):
        for name, _ in self.stores():
            program = self.find_package(name, f"{name}.c")
            self.assertIn(f"libtercet-{name}.so", libraries_of(program))
            program = self.find_package(f"{name}_static", f"{name}.c")
            self.assertNotIn("libtercet", libraries_of(program))

    def test_pkg_config_of_a_store(self):
        for name, _ in self.stores():
            program = prefix.parent / f"outside_{name}"
            self.build_by_pkg_config(program, package=f"tercet-{name}", source=f"{name}.c")
            self.assertIn(f"libtercet-{name}.so", libraries_of(program))

    def test_pkg_config(self):
        program = prefix.parent / "outside_shared"
        self.build_by_pkg_config(program)
        self.assertIn("libtercet.so", libraries_of(program))

    def test_pkg_config_static(self):
        shared = sorted(self.libdir().glob("libtercet.so*"))
        for file in shared:
            file.rename(file.with_name(f"away_{file.name}"))
        try:
            program = prefix.parent / "outside_static"
            self.build_by_pkg_config(program, "--static")
            self.assertNotIn("libtercet.so", libraries_of(program))
        finally:
            for file in shared:
                file.with_name(f"away_{file.name}").rename(file)


def main():
    global arguments, prefix
    parser = argparse.ArgumentParser()
    for name in ("build", "cmake", "cc", "cxx", "generator", "libdir"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--sanitize", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tercet_install_") as directory:
        first = Path(directory) / "first"
        prefix = Path(directory) / "moved"
        run(arguments.cmake, "--install", arguments.build, "--prefix", first)
        first.rename(prefix)
        result = unittest.main(argv=[sys.argv[0], "-v"], exit=False).result
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
