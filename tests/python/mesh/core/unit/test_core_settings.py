import re
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from mesh.core.errors import UsageError
from mesh.core.settings import (
    MeshSettings,
    load_settings,
    load_settings_of_file,
    variable_name,
)


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


def test_other_variables_are_no_misspellings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_IMAGE_TAG", "1")
    monkeypatch.setenv("OTHER_TOP_N", "1")
    assert load_settings([ToySettings])[0].top_n == 5


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        ToySettings().top_n = 6  # type: ignore[misc]


def test_variable_name() -> None:
    assert variable_name(ToySettings, "top_n") == "TOY_TOP_N"


@pytest.mark.parametrize(
    ("line", "hint"),
    [("TOY_FOLDR=x", "; did you mean TOY_FOLDER?"), ("TOY_WHATEVER=x", ""), ("toy_top=3", "; did")],
)
def test_unknown_names_in_the_env_file(env_file: Path, line: str, hint: str) -> None:
    env_file.write_text(f"{line}\n")
    name = line.partition("=")[0]
    with pytest.raises(UsageError, match=re.escape(f"{name} in {env_file} is unknown{hint}")):
        load_settings([ToySettings], env_file=env_file)
    assert load_settings([ToySettings], env_file=env_file, complete=False)[0].top_n == 5


def test_names_that_other_programs_have(env_file: Path) -> None:
    class MeshOnly(MeshSettings):
        model_config = SettingsConfigDict(env_prefix="MESH_")

    env_file.write_text("MESH_LOG_FORMAT=json\nMESH_CODE_REVISION=a\nOTHER=1\nREMOTE_X=1\n")
    load_settings([MeshOnly, ToySettings], env_file=env_file)
    env_file.write_text("MESH_WRKSPACE=a\n")
    with pytest.raises(UsageError, match="MESH_WRKSPACE"):
        load_settings([MeshOnly], env_file=env_file)


def test_line_that_is_no_setting_is_refused(env_file: Path) -> None:
    env_file.write_text("TOY_MODE: fast\n")
    with pytest.raises(UsageError, match="line 1: the line isn't NAME=value"):
        load_settings([ToySettings], env_file=env_file)


def test_variables_of_kubernetes_services_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    class Server(MeshSettings):
        model_config = SettingsConfigDict(env_prefix="TOY_")
        port: int = 8000
        url_port: str = ""

    monkeypatch.setenv("TOY_PORT", "tcp://10.0.0.1:8001")
    monkeypatch.setenv("TOY_URL_PORT", "tcp://x")
    (settings,) = load_settings([Server])
    assert (settings.port, settings.url_port) == (8000, "tcp://x")
    monkeypatch.setenv("TOY_PORT", "tcp")
    with pytest.raises(UsageError, match="TOY_PORT='tcp'"):
        load_settings([Server])


@pytest.mark.parametrize(
    "value", ["postgresql://u:hunter2@db", "host=db password=hunter2", "Bearer hunter2hunter2"]
)
def test_values_like_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TOY_MODE", value)
    with pytest.raises(UsageError, match="TOY_MODE=") as caught:
        load_settings([ToySettings])
    assert "hunter2" not in str(caught.value)


def test_settings_of_a_file_alone(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_TOP_N", "3")
    monkeypatch.setenv("TOY_SIZES", "[9]")
    env_file.write_text("TOY_MODE=fast\nTOY_SIZES=[2,3]\n")
    settings = load_settings_of_file(ToySettings, env_file)
    assert settings == ToySettings(top_n=5, mode="fast", sizes=[2, 3])
    env_file.write_text("TOY_MODE=slow\nTOY_MDE=1\n")
    with pytest.raises(UsageError, match=r"(?s)TOY_MDE in .*TOY_MODE='slow'") as caught:
        load_settings_of_file(ToySettings, env_file)
    assert caught.value.__cause__ is None
