from pathlib import Path

import pytest
import time_table


def report(folder: Path, name: str, *seconds: float) -> None:
    suites = "".join(f'<testsuite time="{value}"/>' for value in seconds)
    (folder / f"{name}.xml").write_text(f"<testsuites>{suites}</testsuites>")


def test_time_of_a_report_is_that_of_its_suites(tmp_path: Path) -> None:
    report(tmp_path, "tests.python.words.test_words.py", 1.5, 2)
    report(tmp_path, "tests.python.words.test_other.py")

    assert time_table.test_times(tmp_path) == {
        "tests.python.words.test_words.py": 3.5,
        "tests.python.words.test_other.py": 0,
    }


def test_steps_stand_in_their_order_with_their_shares() -> None:
    lines = list(time_table.table({"locks": 10, "images": 30}, {}))

    assert [line.split() for line in lines[1:]] == [
        ["10", "25%", "locks"],
        ["30", "75%", "images"],
        ["40", "100%", "all"],
    ]


def test_slowest_tests_come_first_and_the_others_are_summed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time_table, "SLOWEST", 2)
    tests = {"quick": 1.0, "slow": 60.0, "slower": 120.0, "quicker": 0.6}

    lines = list(time_table.table({}, tests))

    assert [line.split(maxsplit=2) for line in lines[-4:]] == [
        ["120", "66%", "slower"],
        ["60", "33%", "slow"],
        ["2", "1%", "2 others"],
        ["182", "100%", "all"],
    ]


def test_nothing_measured_is_an_empty_table() -> None:
    assert [line.split() for line in time_table.table({}, {})] == [
        ["seconds", "share", "step"],
        ["0", "100%", "all"],
    ]
