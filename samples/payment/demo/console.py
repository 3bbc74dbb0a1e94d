"""What the demo prints: clear text, tables, and colours only on a terminal."""

import os
import sys

BOLD, DIM, GREEN, RED = "1", "2", "32", "31"


class Console:
    """Standard output, or nothing of the story when `quiet`."""

    def __init__(self, quiet=False):
        self.quiet = quiet
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def title(self, text):
        self._print("\n" + self._paint(BOLD, text))

    def say(self, text):
        self._print("  " + text)

    def good(self, text):
        self._print("  " + self._paint(GREEN, "ok   ") + text)

    def bad(self, text):
        """Told even when quiet."""
        print("  " + self._paint(RED, "OFF  ") + text, flush=True)

    def line(self, text, good=True):
        """Told even when quiet."""
        print(text if good else self._paint(RED, text), flush=True)

    def table(self, head, rows):
        """`rows` are (label, cells); a cell that differs from the one above it stands out."""
        columns = [[head[i]] + [cells[i] for _, cells in rows] for i in range(len(head))]
        widths = [max(map(len, column)) for column in columns]
        label_width = max(len(label) for label, _ in rows)
        self._print("")
        self._print(self._row("", label_width, head, widths, [DIM] * len(head)))
        above = rows[0][1]
        for label, cells in rows:
            styles = [BOLD if cell != before else None for cell, before in zip(cells, above)]
            self._print(self._row(label, label_width, cells, widths, styles))
            above = cells

    def _row(self, label, label_width, cells, widths, styles):
        padded = [cell.ljust(width) for cell, width in zip(cells, widths)]
        painted = [self._paint(style, cell) for style, cell in zip(styles, padded)]
        return f"    {label.ljust(label_width)}   {'   '.join(painted)}".rstrip()

    def _paint(self, style, text):
        return f"\x1b[{style}m{text}\x1b[0m" if self._colour and style else text

    def _print(self, text):
        if not self.quiet:
            print(text, flush=True)
