#!/usr/bin/env python3
"""Measures one load after another and draws throughput against latency.

    sweep.py --bench FILE [--concurrency 1,4,16,64,256,1024 | --rate 500,1000,2000] [--json FILE] [--svg FILE]
             [-- OPTIONS of tercet-bench]

Prints a line for each; the floors are measured with the first and the last.  Exit codes: 0; 1 a run failed, or
is no measurement; 64 wrong use."""
import argparse
import json
import math
import subprocess
import sys

HEAD = "%10s %10s %9s %9s %9s %9s %9s %9s %8s %8s  %s"
ROW = "%10s %10.0f %9d %9d %9d %9d %9d %9.1f %8.0f %8.3f  %s"


def numbers(text):
    values = [int(word) for word in text.split(",")]
    if not values or min(values) < 1:
        raise argparse.ArgumentTypeError("want numbers from 1, such as 1,16,256")
    return values


def measure(bench, kind, value, floors, options):
    command = [bench, "--" + kind, str(value), "--json"] + ([] if floors else ["--no-floors"]) + options
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        print("sweep: %s ended with %d" % (" ".join(command), done.returncode), file=sys.stderr)
        return None
    return json.loads(done.stdout)


def row(value, told):
    latency, cpu = told["latency_us"], told["cpu_us_per_transaction"]
    return ROW % (value, told["transactions_per_s"], latency["p50"], latency["p95"], latency["p99"], latency["p999"],
                  latency["max"], cpu["coordinator"], told["disk_bytes_per_transaction"]["coordinator"],
                  told["batches_per_transaction"], told["doubt"] or "")


def ticks(low, high):
    """1, 2 and 5 of every power of ten between the two."""
    marks = [digit * 10 ** power for power in range(int(math.log10(low)) - 1, int(math.log10(high)) + 2)
             for digit in (1, 2, 5)]
    return [mark for mark in marks if low <= mark <= high]


def draw(points, title):
    """points: [(transactions/s, {"p50": µs, ...}, label)].  Both axes are logarithmic."""
    width, height, left, bottom = 640, 400, 70, 50
    xs = [x for x, _, _ in points]
    ys = [y for _, latency, _ in points for name, y in latency.items() if name in ("p50", "p99")]
    x_low, x_high = min(xs) / 1.3, max(xs) * 1.3
    y_low, y_high = max(1, min(ys)) / 1.3, max(ys) * 1.3

    def place(x, y):
        return (left + (width - left - 20) * math.log(x / x_low) / math.log(x_high / x_low),
                height - bottom - (height - bottom - 40) * math.log(max(1, y) / y_low) / math.log(y_high / y_low))

    lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="11">'
             % (width, height), '<rect width="100%" height="100%" fill="white"/>',
             '<text x="%d" y="20" font-size="13">%s</text>' % (left, title),
             '<text x="%d" y="%d" text-anchor="middle">transactions/s</text>' % (width / 2, height - 10),
             '<text x="14" y="%d" transform="rotate(-90 14 %d)" text-anchor="middle">latency, µs</text>'
             % (height / 2, height / 2)]
    for mark in ticks(x_low, x_high):
        x, y = place(mark, y_low)
        lines.append('<path d="M%.1f %.1fV40" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text>'
                     % (x, y, x, y + 16, format(mark, ",")))
    for mark in ticks(y_low, y_high):
        x, y = place(x_low, mark)
        lines.append('<path d="M%.1f %.1fH%d" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="end">%s</text>'
                     % (x, y, width - 20, x - 6, y + 4, format(mark, ",")))
    for name, colour in (("p50", "#1f6fb4"), ("p99", "#c0392b")):
        path = [place(x, latency[name]) for x, latency, _ in points]
        lines.append('<polyline fill="none" stroke="%s" stroke-width="2" points="%s"/>'
                     % (colour, " ".join("%.1f,%.1f" % point for point in path)))
        for (x, y), (_, _, label) in zip(path, points):
            lines.append('<circle cx="%.1f" cy="%.1f" r="3" fill="%s"><title>%s, %s</title></circle>'
                         % (x, y, colour, label, name))
        lines.append('<text x="%.1f" y="%.1f" fill="%s">%s</text>' % (path[-1][0] + 6, path[-1][1], colour, name))
    return "\n".join(lines + ["</svg>"]) + "\n"


def parse(words):
    own, options = (words[:words.index("--")], words[words.index("--") + 1:]) if "--" in words else (words, [])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.error = lambda text: (print("sweep: %s" % text, file=sys.stderr), sys.exit(64))
    parser.add_argument("--bench", required=True)
    parser.add_argument("--concurrency", type=numbers, default=[1, 4, 16, 64, 256, 1024])
    parser.add_argument("--rate", type=numbers)
    parser.add_argument("--json")
    parser.add_argument("--svg")
    return parser.parse_args(own), options


def main():
    arguments, options = parse(sys.argv[1:])
    kind = "rate" if arguments.rate else "concurrency"
    values = arguments.rate or arguments.concurrency
    runs = []
    print(HEAD % (kind, "tx/s", "p50 µs", "p95", "p99", "p99.9", "max", "CPU µs", "bytes", "batches", ""))
    for value in values:
        told = measure(arguments.bench, kind, value, value in (values[0], values[-1]), options)
        if told is None:
            return 1
        runs.append(told)
        print(row(value, told), flush=True)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(runs, file, indent=1)
    if arguments.svg:
        points = [(told["transactions_per_s"], told["latency_us"], "%s %d" % (kind, value))
                  for value, told in zip(values, runs)]
        title = "%d branches, %s participants, %s" % (runs[0]["run"]["branches"], runs[0]["run"]["participants"],
                                                      runs[0]["run"]["mode"])
        with open(arguments.svg, "w", encoding="utf-8") as file:
            file.write(draw(points, title))
    return 1 if any(told["doubt"] for told in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
