"""Print the times of a run: `time_table.py FOLDER [STEP=SECONDS ...]`.

The steps come in their order with their fractions, then the slowest of the tests in the JUnit
reports below the folder. If several tests ran at once, their times add up to more than the step's.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

SLOWEST = 15


def test_times(folder: Path) -> dict[str, float]:
    """The seconds of each report's tests, by the tested file, or the first file of a batch."""
    times = {}
    for report in sorted(folder.rglob("*.xml")):
        # Pants has just written it.
        suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314
        times[report.stem] = sum(float(suite.get("time", 0)) for suite in suites)
    return times


def table(steps: Mapping[str, int], tests: Mapping[str, float]) -> Iterator[str]:
    """The lines of both tables; of tests, the slowest ones and the sum of the others."""
    total = sum(steps.values())
    yield f"{'seconds':>8}   share  step"
    for name, seconds in steps.items():
        yield f"{seconds:>8}{100 * seconds / max(total, 1):>7.0f}%  {name}"
    yield f"{total:>8}{100:>7}%  all"
    if not tests:
        return
    yield f"{'seconds':>8}   share  tests"
    summed = sum(tests.values())
    ordered = sorted(tests.items(), key=lambda item: -item[1])
    rows = ordered[:SLOWEST]
    if others := dict(ordered[SLOWEST:]):
        rows.append((f"{len(others)} others", sum(others.values())))
    for name, taken in rows:
        yield f"{taken:>8.0f}{100 * taken / max(summed, 1):>7.0f}%  {name}"
    yield f"{summed:>8.0f}{100:>7}%  all"


if __name__ == "__main__":
    folder, *given = sys.argv[1:]
    steps = {name: int(seconds) for name, _, seconds in (pair.partition("=") for pair in given)}
    print(*table(steps, test_times(Path(folder))), sep="\n")
