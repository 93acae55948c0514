import platform
import re
from pathlib import Path

import pytest

from mesh.core.environment import code_revision, describe_environment


def test_revision_can_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_CODE_REVISION", "1.2.3")
    assert code_revision() == "1.2.3"


def test_revision_without_git(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MESH_CODE_REVISION", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_revision() == "unknown"


def test_revision_is_a_commit_or_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MESH_CODE_REVISION", raising=False)
    assert re.fullmatch(r"unknown|[0-9a-f]{40}(-dirty)?", code_revision())


@pytest.mark.parametrize("missing", ["surely-not-installed"])
def test_environment_names_versions_of_what_is_installed(missing: str) -> None:
    environment = describe_environment(["pydantic", missing])
    assert environment["python"] == platform.python_version()
    assert re.match(r"\d+\.", environment["pydantic"])
    assert missing not in environment


def test_folder_of_another_owner(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("MESH_CODE_REVISION", raising=False)
    (tmp_path / "git").write_text(
        "#!/bin/sh\necho \"fatal: detected dubious ownership in repository at '/x'\" >&2\nexit 128\n"
    )
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert code_revision() == "unknown"
    assert "detected dubious ownership in repository at '/x'" in caplog.text
