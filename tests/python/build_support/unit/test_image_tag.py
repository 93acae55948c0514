import datetime
import re
import subprocess
from pathlib import Path

import image_tag
import pytest

NOVEMBER = datetime.date(2026, 11, 21)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository of one commit, which is the working directory."""
    folder = tmp_path / "repository"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for variable in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(variable, "Someone")
    for variable in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(variable, "someone@example.com")
    git("init", "--quiet")
    commit()
    return folder


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def commit() -> None:
    git("commit", "--quiet", "--allow-empty", "--message", "Change")


def tag(*arguments: str) -> str:
    return image_tag.main(["--date", "2026-11-21", *arguments])


@pytest.mark.parametrize("event", ["pull_request", "merge_group"])
def test_change_that_is_not_merged(event: str) -> None:
    assert image_tag.main([event, "123", "2"]) == "ci-123-2"


def test_first_release_of_a_month(repository: Path) -> None:
    git("tag", "v26.10.7")

    commit()

    assert tag("release") == "v26.11.0"


def test_patches_are_counted_as_numbers(repository: Path) -> None:
    for name in ("v26.11.9", "v26.11.10", "v26.1.30", "v25.11.40"):
        git("tag", name)
    commit()

    assert tag("release") == "v26.11.11"


def test_main_is_a_release_to_come(repository: Path) -> None:
    git("tag", "v26.11.0")
    commit()

    assert re.fullmatch(r"v26\.11\.1-pre\.[0-9a-f]{12}", tag("push"))
    assert git("rev-parse", "HEAD").startswith(tag("push").rpartition(".")[2])


def test_released_commit_keeps_its_release(repository: Path) -> None:
    git("tag", "v26.10.3")

    assert tag("release") == "v26.10.3"


def test_shallow_clone_is_refused(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("tag", "v26.11.4")
    commit()
    git("clone", "--quiet", "--depth", "1", f"file://{repository}", "../shallow")
    monkeypatch.chdir("../shallow")

    with pytest.raises(SystemExit, match="shallow"):
        tag("release")


@pytest.mark.parametrize("name", ["v26.11", "v26.11.x", "26.11.3", "v26.11.5-pre.abc", "v26.13.2"])
def test_what_is_no_release_does_not_count(name: str) -> None:
    assert image_tag.next_release([name], NOVEMBER) == "v26.11.0"


def test_two_digit_month_is_not_a_one_digit_month() -> None:
    assert image_tag.next_release(["v26.11.4"], datetime.date(2026, 1, 1)) == "v26.1.0"


@pytest.mark.parametrize("kind", [["push"], ["release"], ["pull_request", "18446744073", "12"]])
def test_docker_takes_the_tag(repository: Path, kind: list[str]) -> None:
    assert re.fullmatch(r"\w[\w.-]{0,127}", tag(*kind), re.ASCII)
