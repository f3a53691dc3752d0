"""Which lines of the library were reached, from gcovr's JSON: coverage.py LINES.json REASONS.md.

Prints a table of folders, then each file below 95 % with its lines that were not reached and the reason that the table of
REASONS.md has for it. A line of a template counts as reached if one instantiation reached it. The status is 1 where less
than 95 % of all lines are reached.
"""
import collections
import itertools
import json
import re
import sys

ENOUGH = 95


def lines_of(file):
    """Whether each line that has code was reached, by its number."""
    return {line["line_number"]: line["count"] > 0 for line in file["lines"]
            if not line["gcovr/noncode"] and not line["gcovr/excluded"]}


def ranges(missed, code):
    """As 3-5, 9: what has no code between two lines does not part them."""
    groups = itertools.groupby(sorted(code), missed.__contains__)
    spans = [list(lines) for is_missed, lines in groups if is_missed]
    return ", ".join(str(s[0]) if len(s) == 1 else f"{s[0]}-{s[-1]}" for s in spans)


def percent(covered, lines):
    return 100 * covered / lines


with open(sys.argv[1], encoding="utf-8") as report:
    files = {file["file"]: lines_of(file) for file in json.load(report)["files"]}
with open(sys.argv[2], encoding="utf-8") as table:
    reasons = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", table.read(), re.MULTILINE))

folders = collections.defaultdict(lambda: [0, 0])
for name, code in files.items():
    parts = name.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        folder = folders["/".join(parts[:depth])]
        folder[0] += len(code)
        folder[1] += sum(code.values())
print(f"{'folder':<28} {'lines':>7} {'covered':>8} {'per cent':>9}")
for name, (lines, covered) in sorted(folders.items()):
    print(f"{name:<28} {lines:7,} {covered:8,} {percent(covered, lines):9.1f}")

below = {name: code for name, code in sorted(files.items())
         if code and percent(sum(code.values()), len(code)) < ENOUGH}
print(f"\nfiles below {ENOUGH} %, with the lines not reached")
for name, code in below.items():
    missed = {line for line, reached in code.items() if not reached}
    print(f"{name}  {percent(len(code) - len(missed), len(code)):.1f} %: {ranges(missed, code)}")
    if name in reasons:
        print(f"    {reasons[name]}")
    else:
        print("    no reason in coverage.md")
for name in reasons.keys() - below.keys():
    print(f"{name}: has a reason in coverage.md, and is not below {ENOUGH} %")

total = sum(len(code) for code in files.values())
covered = sum(sum(code.values()) for code in files.values())
print(f"\ncoverage: {percent(covered, total):.1f} % of {total:,} lines")
sys.exit(percent(covered, total) < ENOUGH)
