"""junit_totals.py FILE STATUS: prints "passed failed" of a JUnit file. What did not run counts as failed."""

import sys
import xml.etree.ElementTree as ElementTree

passed = failed = 0
for case in ElementTree.parse(sys.argv[1]).iter("testcase"):
    bad = case.get("status") == "notrun" or any(case.find(tag) is not None for tag in ("failure", "error", "skipped"))
    passed, failed = passed + (not bad), failed + bad
if failed == 0 and (int(sys.argv[2]) != 0 or passed == 0):
    failed = 1
print(passed, failed)
