"""What the sweeps have in common: their command line, one run of tercet-bench after another, the drawing."""
import argparse
import json
import math
import subprocess
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 70, 20, 40, 50


def numbers(text):
    values = [int(word) for word in text.split(",")]
    if not values or min(values) < 1:
        raise argparse.ArgumentTypeError("want numbers from 1, such as 1,16,256")
    return values


class Parser(argparse.ArgumentParser):
    """Ends with 64 after one line; what stands behind `--` is tercet-bench's."""

    def __init__(self, name, text):
        super().__init__(prog=name, description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.add_argument("--bench", required=True, metavar="FILE")
        self.add_argument("--json", metavar="FILE")

    def error(self, message):
        print("%s: %s" % (self.prog, message), file=sys.stderr)
        sys.exit(64)

    def read(self):
        words = sys.argv[1:]
        at = words.index("--") if "--" in words else len(words)
        arguments = self.parse_args(words[:at])
        arguments.more = words[at + 1:]
        return arguments


def run(name, bench, words):
    """What tercet-bench told.  When it failed, that is said and the program ends."""
    command = [bench, "--json", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print("%s: %s ended with %d" % (name, " ".join(command), done.returncode), file=sys.stderr)
        sys.exit(1)
    return json.loads(done.stdout)


def keep(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


# ---- Drawing ----------------------------------------------------------------------------------------


class LogAxis:
    def __init__(self, name, values):
        self.name = name
        self.low, self.high = max(1, min(values)) / 1.3, max(1, *values) * 1.3

    def place(self, value):
        """0 to 1."""
        return math.log(max(1, value) / self.low) / math.log(self.high / self.low)

    def marks(self):
        return marks(self.low, self.high)


class ZeroAxis:
    """Linear, from zero: so that what is equal looks equal."""

    def __init__(self, name, values):
        self.name = name
        self.high = max(1, *values) * 1.15

    def place(self, value):
        return value / self.high

    def marks(self):
        step = [mark for mark in marks(self.high / 100, self.high) if mark >= self.high / 8][0]
        return [step * i for i in range(int(self.high / step) + 1)]


class Series:
    """points: [(x, y, what it says)].  How it is drawn: "line", "dots" or "dashes"."""

    def __init__(self, name, colour, points, how="line"):
        self.name, self.colour, self.points, self.how = name, colour, points, how


def marks(low, high):
    """1, 2 and 5 of every power of ten between the two."""
    all_of_them = [digit * 10 ** power for power in range(int(math.log10(low)) - 1, int(math.log10(high)) + 2)
                   for digit in (1, 2, 5)]
    return [mark for mark in all_of_them if low <= mark <= high]


def draw(title, x_axis, y_axis, series):
    def at_x(value):
        return LEFT + (WIDTH - LEFT - RIGHT) * x_axis.place(value)

    def at_y(value):
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * y_axis.place(value)

    lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">'
             % (WIDTH, HEIGHT), '<rect width="100%" height="100%" fill="white"/>',
             '<text x="%d" y="20" font-size="13">%s</text>' % (LEFT, title),
             '<text x="%d" y="%d" text-anchor="middle">%s</text>' % (WIDTH / 2, HEIGHT - 10, x_axis.name),
             '<text x="14" y="%d" transform="rotate(-90 14 %d)" text-anchor="middle">%s</text>'
             % (HEIGHT / 2, HEIGHT / 2, y_axis.name)]
    for mark in x_axis.marks():
        lines.append('<path d="M%.1f %dV%d" stroke="#ddd"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>'
                     % (at_x(mark), HEIGHT - BOTTOM, TOP, at_x(mark), HEIGHT - BOTTOM + 16, format(mark, ",")))
    for mark in y_axis.marks():
        lines.append('<path d="M%d %.1fH%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>'
                     % (LEFT, at_y(mark), WIDTH - RIGHT, LEFT - 6, at_y(mark) + 4, format(mark, ",")))
    for one in series:
        lines += draw_series(one, [(at_x(x), at_y(y), text) for x, y, text in one.points])
    return "\n".join(lines + ["</svg>"]) + "\n"


def draw_series(series, places):
    lines = []
    if series.how != "dots":
        dashes = ' stroke-dasharray="6 4"' if series.how == "dashes" else ""
        lines.append('<polyline fill="none" stroke="%s" stroke-width="2"%s points="%s"/>'
                     % (series.colour, dashes, " ".join("%.1f,%.1f" % place[:2] for place in places)))
    if series.how != "dashes":
        lines += ['<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s</title></circle>' % (x, y, series.colour, text)
                  for x, y, text in places]
    if series.name:
        lines.append('<text x="%.1f" y="%.1f" fill="%s">%s</text>'
                     % (places[-1][0] + 6, places[-1][1], series.colour, series.name))
    return lines
