import re
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from mesh.core.errors import UsageError
from mesh.core.settings import MeshSettings, find_env_file, load_settings, variable_name


class ToySettings(MeshSettings):
    model_config = SettingsConfigDict(env_prefix="TOY_")

    top_n: int = Field(5, ge=1)
    mode: Literal["fast", "exact"] = "exact"
    folder: Path | None = None
    force: bool = False
    sizes: list[int] = Field([1])


class RemoteSettings(MeshSettings):
    model_config = SettingsConfigDict(env_prefix="REMOTE_")

    url: str
    token: SecretStr
    timeout: float = 1.0


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for prefix in (
        "TOY_TOP_N",
        "TOY_MODE",
        "TOY_FORCE",
        "REMOTE_URL",
        "REMOTE_TOKEN",
        "MESH_ENV_FILE",
    ):
        monkeypatch.delenv(prefix, raising=False)


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    path = tmp_path / "dev.env"
    path.write_text("TOY_TOP_N=2\nTOY_MODE=fast\n")
    return path


def test_flag_over_environment_over_file_over_default(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings([ToySettings])[0].top_n == 5
    assert load_settings([ToySettings], env_file=env_file)[0].top_n == 2
    monkeypatch.setenv("TOY_TOP_N", "3")
    assert load_settings([ToySettings], env_file=env_file)[0].top_n == 3
    (settings,) = load_settings([ToySettings], env_file=env_file, flags=["--top-n", "4"])
    assert (settings.top_n, settings.mode) == (4, "fast")


def test_flags_belong_to_the_first_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMOTE_URL", "u")
    monkeypatch.setenv("REMOTE_TOKEN", "t")
    toy, remote = load_settings(
        [ToySettings, RemoteSettings], flags=["--force", "--folder", "x", "--sizes", "[1,2]"]
    )
    assert (toy.force, toy.folder, toy.sizes, remote.url) == (True, Path("x"), [1, 2], "u")
    with pytest.raises(SystemExit) as caught:
        load_settings([ToySettings, RemoteSettings], flags=["--url", "u"])
    assert caught.value.code == 2


def test_empty_variables_count_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_TOP_N", "")
    assert load_settings([ToySettings])[0].top_n == 5


def test_every_missing_and_bad_value_is_in_one_message(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file.write_text("TOY_MODE=slow\n")
    monkeypatch.setenv("TOY_TOP_N", "0")
    monkeypatch.setenv("TOY_SIZES", '[1, "x"]')
    monkeypatch.setenv("REMOTE_TIMEOUT", "soon")
    with pytest.raises(UsageError) as caught:
        load_settings([ToySettings, RemoteSettings], env_file=env_file)
    assert caught.value.exit_code == 2
    for part in (
        "TOY_TOP_N='0': ",
        "TOY_MODE='slow': ",
        "TOY_SIZES (1)='x': ",
        "REMOTE_URL is required",
        "REMOTE_TOKEN is required",
        "REMOTE_TIMEOUT='soon': ",
    ):
        assert str(caught.value).count(part) == 1, caught.value


def test_bad_json_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_SIZES", "[1,")
    with pytest.raises(UsageError, match="TOY_SIZES: Expecting value"):
        load_settings([ToySettings])


def test_bad_json_in_a_flag() -> None:
    with pytest.raises(UsageError, match="TOY_SIZES"):
        load_settings([ToySettings], flags=["--sizes", "[1,"])


def test_a_bad_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    class Strict(MeshSettings):
        model_config = SettingsConfigDict(env_prefix="STRICT_")
        token: SecretStr = Field(min_length=20)
        other: SecretStr | None = Field(None, min_length=20)

    monkeypatch.setenv("STRICT_TOKEN", "hunter2")
    monkeypatch.setenv("STRICT_OTHER", "hunter3")
    with pytest.raises(UsageError) as caught:
        load_settings([Strict])
    assert re.search(r"STRICT_TOKEN: .*20", str(caught.value))
    assert re.search(r"STRICT_OTHER.*20", str(caught.value))
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize("name", ["TOY_TOPN", "TOY_TOP_NN", "TOY_MODEE"])
def test_misspelled_variables_are_hinted_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(UsageError, match=f"{name} is unknown; did you mean TOY_"):
        load_settings([ToySettings])


def test_misspelled_names_in_the_env_file(env_file: Path) -> None:
    env_file.write_text("TOY_FOLDR=x\n")
    with pytest.raises(UsageError, match="TOY_FOLDR is unknown; did you mean TOY_FOLDER"):
        load_settings([ToySettings], env_file=env_file)


def test_other_variables_are_no_misspellings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_IMAGE_TAG", "1")
    monkeypatch.setenv("OTHER_TOP_N", "1")
    assert load_settings([ToySettings])[0].top_n == 5


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        ToySettings().top_n = 6  # type: ignore[misc]


def test_variable_name() -> None:
    assert variable_name(ToySettings, "top_n") == "TOY_TOP_N"


def test_env_file_is_the_named_one_or_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    component, here = tmp_path / "component", tmp_path / "here"
    (component / "config").mkdir(parents=True)
    here.mkdir()
    monkeypatch.chdir(here)
    assert find_env_file(component) is None
    (component / "config/dev.env").write_text("")
    assert find_env_file(component) == component / "config/dev.env"
    (component / "config/prod.env").write_text("")
    monkeypatch.setenv("MESH_ENV_FILE", "config/prod.env")
    assert find_env_file(component) == component / "config/prod.env"
    (here / "config").mkdir()
    (here / "config/prod.env").write_text("")
    assert find_env_file(component) == Path("config/prod.env")
    monkeypatch.setenv("MESH_ENV_FILE", "config/test.env")
    with pytest.raises(UsageError, match="MESH_ENV_FILE names 'config/test.env'"):
        find_env_file(component)
