"""Nothing of the caller's pip decides which uv makes the locks, besides where it comes from."""

from pathlib import Path

import pytest
from interpreters import pinned_uv

import hostile_pip
from build_support.unit.lock_workshop import Workshop

# The others are overruled by flags, or by the environment of the test.
SETTINGS = sorted(hostile_pip.SETTINGS.keys() - {"no-binary", "require-virtualenv", "target"})


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """The index has uv 1.0, and the repository pins it."""
    made = Workshop(tmp_path, monkeypatch)
    digest = made.index.add_wheel("uv", "1.0", files={"bin/uv": "stand-in", "uv.py": ""})
    lock = made.root / "build-support" / "uv.lock"
    lock.parent.mkdir()
    lock.write_text(f"uv==1.0 \\\n    --hash=sha256:{digest}\n")
    return made


def check(workshop: Workshop, cache: Path) -> None:
    uv = Path(pinned_uv(cache, workshop.root))

    assert uv == cache / "uv-1.0" / "bin" / "uv"
    assert uv.read_text() == "stand-in"
    assert sorted(path.name for path in cache.iterdir()) == ["uv-1.0"]


@pytest.mark.parametrize("name", SETTINGS)
def test_variable_decides_nothing(
    name: str, workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(*hostile_pip.hostile_variable(name, tmp_path))

    check(workshop, tmp_path / "cache")


@pytest.mark.parametrize("name", SETTINGS)
def test_configuration_of_the_machine_decides_nothing(
    name: str, workshop: Workshop, tmp_path: Path
) -> None:
    hostile_pip.write_hostile_file(name, tmp_path, workshop.home / "system" / "pip" / "pip.conf")

    check(workshop, tmp_path / "cache")


def test_another_uv_is_refused(
    workshop: Workshop, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lock = workshop.root / "build-support" / "uv.lock"
    lock.write_text(f"uv==1.0 \\\n    --hash=sha256:{'0' * 64}\n")

    with pytest.raises(Exception, match="uv"):
        pinned_uv(tmp_path / "cache", workshop.root)

    assert "DO NOT MATCH THE HASHES" in capfd.readouterr().err
    assert not (tmp_path / "cache" / "uv-1.0").exists()
