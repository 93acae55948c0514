"""Nothing of the caller's pip and uv decides what a lock holds, besides where packages come from."""

from pathlib import Path

import pytest

from build_support.unit.lock_workshop import Workshop
from package_index import PackageIndex

VARIABLES = {
    "UV_CONFIG_FILE": "{toml}",
    "UV_CONSTRAINT": "{constraints}",
    "UV_EXCLUDE": "{constraints}",
    "UV_EXCLUDE_NEWER": "2000-01-01",
    "UV_OVERRIDE": "{constraints}",
    "UV_PRERELEASE": "allow",
    "UV_RESOLUTION": "lowest",
}
CONFIGURATION = """
prerelease = "allow"
resolution = "lowest"
exclude-newer = "2000-01-01"
constraint-dependencies = ["tiny<2"]
"""
FILES = {
    "home/.config/uv/uv.toml": CONFIGURATION,
    "home/system/uv/uv.toml": CONFIGURATION,
    "work/uv.toml": CONFIGURATION,
    "uv.toml": CONFIGURATION,
    "pyproject.toml": f"[tool.uv]\n{CONFIGURATION}",
}


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    return Workshop(tmp_path, monkeypatch)


@pytest.fixture
def hostile(workshop: Workshop, tmp_path: Path) -> dict[str, str]:
    """Files that settings name: each would make the lock another one."""
    workshop.index.add_wheel("tiny", "3.0rc1")
    (tmp_path / "constraints.txt").write_text("tiny==1.0\n")
    (tmp_path / "another.toml").write_text(CONFIGURATION)
    return {
        "constraints": str(tmp_path / "constraints.txt"),
        "toml": str(tmp_path / "another.toml"),
    }


def check(workshop: Workshop) -> None:
    lock = workshop.lock("tiny\n")

    assert "tiny==2.0 \\\n    --hash=sha256:" in lock
    assert "small==1.0 \\\n    --hash=sha256:" in lock


@pytest.mark.parametrize("name", VARIABLES)
def test_variable_decides_nothing(
    name: str, workshop: Workshop, hostile: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, VARIABLES[name].format(**hostile))

    check(workshop)


@pytest.mark.parametrize("path", FILES)
@pytest.mark.usefixtures("hostile")
def test_configuration_file_decides_nothing(path: str, workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(FILES[path])

    check(workshop)


@pytest.mark.parametrize("name", ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_index_is_taken_over(
    name: str, workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = PackageIndex(tmp_path / "other")
    other.add_wheel("private", "1.0")
    monkeypatch.setenv(name, other.address)

    assert "private==1.0 \\" in workshop.lock("private\n")


@pytest.mark.parametrize(
    "name",
    ["PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_FIND_LINKS"],
)
def test_more_sources_are_taken_over(
    name: str, workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = PackageIndex(tmp_path / "other")
    other.add_wheel("private", "1.0")
    flat = tmp_path / "other" / "private"
    (flat / "torch-0.0-py3-none-any.whl").touch()
    monkeypatch.setenv(name, str(flat) if "LINKS" in name else other.address)

    lock = workshop.lock("private\ntiny\n")

    assert "private==1.0 \\" in lock
    assert "tiny==2.0 \\" in lock
    assert "file:" not in lock


def test_index_in_a_configuration_file_is_taken_over(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = PackageIndex(tmp_path / "other")
    other.add_wheel("private", "1.0")
    monkeypatch.delenv("PIP_INDEX_URL")
    file = tmp_path / "home/.config/pip/pip.conf"
    file.parent.mkdir(parents=True)
    file.write_text(f"[global]\nindex-url = {other.address}\n")

    assert "private==1.0 \\" in workshop.lock("private\n")


def test_another_index_does_not_replace_what_the_main_one_has(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = PackageIndex(tmp_path / "other")
    other.add_wheel("tiny", "9.0")
    other.add_wheel("tiny", "2.0", tag="cp311-cp311-manylinux_2_28_x86_64")
    before = workshop.lock("tiny\n")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", other.address)

    assert workshop.lock("tiny\n", upgrade=True) == before
