"""Rules of Prometheus, by its own tests of rules."""

import shutil
import subprocess
from pathlib import Path

import pytest

from promql import FOLDER, RULES, rules

CASES = ("rules_test.yaml", "rules_days_test.yaml")

pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="needs promtool: install Debian's prometheus"
)


def promtool(folder: Path, *arguments: str) -> str:
    result = subprocess.run(
        ["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{result.stdout}{result.stderr}"
    return result.stdout


@pytest.mark.parametrize("cases", CASES)
def test_cases(tmp_path: Path, cases: str) -> None:
    shutil.copy(RULES, tmp_path)
    shutil.copy(Path(__file__).with_name(cases), tmp_path)
    assert "SUCCESS" in promtool(tmp_path, "test", "rules", cases)


def test_every_alert_has_a_case() -> None:
    tested = "".join(Path(__file__).with_name(cases).read_text() for cases in CASES)
    for rule in rules():
        if name := rule.get("alert"):
            fired = tested.split(f"alertname: {name}\n")[1:]
            assert any(part.lstrip().startswith("exp_alerts:") for part in fired), name


def test_configuration() -> None:
    assert "is valid prometheus config" in promtool(FOLDER, "check", "config", "prometheus.yaml")
