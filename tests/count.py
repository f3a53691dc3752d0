"""Counts the test cases in Meson's JSON log of a test run: `N passed, N failed`.

Boost.Test programs and Python's unittest report their cases; any other test is one case, as is a program that ended
without a report.
"""
import json
import re
import sys


def count(run):
    if run["result"] == "SKIP":  # what it compares with is not installed
        return 0, 0
    if ran := re.search(r"^Ran (\d+) tests? in ", run["stderr"], re.MULTILINE):
        failed = sum(int(n) for n in re.findall(r"\b(?:failures|errors)=(\d+)", run["stderr"]))
        return int(ran[1]) - failed, failed or run["result"] != "OK"
    passed = re.search(r"(\d+) test cases? out of \d+ passed", run["stderr"])
    failed = [int(n) for n in re.findall(r"(\d+) test cases? out of \d+ failed", run["stderr"])]
    ok = run["result"] == "OK"
    if not passed and not failed:
        return (1, 0) if ok else (0, 1)
    return int(passed[1]) if passed else 0, sum(failed) or (0 if ok else 1)


with open(sys.argv[1], encoding="utf-8") as log:
    counts = [count({"stderr": "", **json.loads(line)}) for line in log]
print(f"{sum(passed for passed, _ in counts)} passed, {sum(failed for _, failed in counts)} failed")
