"""count.py KIND STATUS JUNIT OBJ TESTS: how a suite went, as "passed failed skipped".

KIND make reads automake's result files, and cmocka's own tally where there is one; KIND pytest reads JUNIT.
A run that ended badly (STATUS) without a failed test to show for it counts as one failure."""

import pathlib
import re
import sys
import xml.etree.ElementTree

TALLY = re.compile(r"^\[  (PASSED|FAILED) \s?\] (\d+) test\(s\)|^\[  (SKIPPED) \] (\d+) test\(s\)", re.MULTILINE)


def count_junit(path):
    try:
        suites = xml.etree.ElementTree.parse(path).getroot().iter("testsuite")
    except (OSError, xml.etree.ElementTree.ParseError):
        return 0, 0, 0
    passed = failed = skipped = 0
    for suite in suites:
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        left = int(suite.get("skipped", 0))
        passed += int(suite.get("tests", 0)) - bad - left
        failed += bad
        skipped += left
    return passed, failed, skipped


def count_program(obj, test):
    """One program of TESTS: its parts if it is a cmocka program, else itself."""
    try:
        result = re.search(r"^:test-result: (\w+)", (obj / f"{test}.trs").read_text(), re.M).group(1)
        log = (obj / f"{test}.log").read_text(errors="replace")
    except (OSError, AttributeError):
        return 0, 1, 0
    counts = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for match in TALLY.finditer(log):
        counts[match.group(1) or match.group(3)] += int(match.group(2) or match.group(4))
    if not any(counts.values()):
        return {"PASS": (1, 0, 0), "SKIP": (0, 0, 1)}.get(result, (0, 1, 0))
    if result != "PASS" and not counts["FAILED"]:
        counts["FAILED"] = 1
    return counts["PASSED"], counts["FAILED"], counts["SKIPPED"]


def main(kind, status, junit, obj, tests):
    if kind == "pytest":
        totals = count_junit(junit)
    else:
        totals = tuple(map(sum, zip(*(count_program(pathlib.Path(obj), test) for test in tests.split()))))
    passed, failed, skipped = totals
    if int(status) != 0 and not failed:
        failed += 1
    print(passed, failed, skipped)


main(*sys.argv[1:])
