"""Print how many tests passed, failed and were skipped, summed over JUnit reports: `junit_totals.py FOLDER`."""

import sys
from pathlib import Path
from xml.etree import ElementTree


def totals(folder: Path) -> dict[str, int]:
    """Sum the reports below a folder; an error counts as a failure."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for report in sorted(folder.rglob("*.xml")):
        # Pants has just written it.
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):  # noqa: S314
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped = int(suite.get("skipped", 0))
            counts["failed"] += failed
            counts["skipped"] += skipped
            counts["passed"] += int(suite.get("tests", 0)) - failed - skipped
    return counts


if __name__ == "__main__":
    print(", ".join(f"{count} {name}" for name, count in totals(Path(sys.argv[1])).items()))
