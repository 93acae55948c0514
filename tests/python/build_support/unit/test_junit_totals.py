from pathlib import Path

from junit_totals import totals


def test_reports_of_all_folders_are_summed(tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_text(
        '<testsuites><testsuite tests="7" failures="1" errors="1" skipped="2"/></testsuites>'
    )
    (tmp_path / "two").mkdir()
    (tmp_path / "two/three.xml").write_text(
        '<testsuites><testsuite tests="3"/><testsuite tests="1" skipped="1"/></testsuites>'
    )

    assert totals(tmp_path) == {"passed": 6, "failed": 2, "skipped": 3}


def test_no_report_is_no_test(tmp_path: Path) -> None:
    assert totals(tmp_path) == {"passed": 0, "failed": 0, "skipped": 0}
