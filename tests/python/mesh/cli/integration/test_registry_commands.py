"""`mesh registry` with registries on this machine: output, changes and exit codes."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient

from mesh.cli.mesh import main
from mesh.core.card import ModelCard
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

TRAINED = "KEYWORDS-TRAINED"
COMPILED = "KEYWORDS-COMPILED"


@dataclass(frozen=True)
class Result:
    """The result of a command: exit code, standard output and error."""

    code: int
    output: str
    errors: str


Mesh = Callable[..., Result]


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty registry; made once, since that takes seconds."""
    folder = tmp_path_factory.mktemp("registry")
    open_registry(settings_of(folder))
    return folder


def settings_of(folder: Path) -> RegistrySettings:
    return RegistrySettings(
        uri=f"sqlite:///{folder}/registry.db", artifacts=f"{folder}/artifacts", user="ann@host"
    )


def env_file(folder: Path) -> Path:
    """What `--from` and `--to` read."""
    settings = settings_of(folder)
    file = folder / "registry.env"
    file.write_text(
        f"MESH_REGISTRY_URI={settings.uri}\nMESH_REGISTRY_ARTIFACTS={settings.artifacts}\n"
    )
    return file


@pytest.fixture
def own(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the registry that the commands use by default."""
    folder = tmp_path / "own"
    shutil.copytree(empty, folder)
    settings = settings_of(folder)
    for name in ("uri", "artifacts", "user"):
        monkeypatch.setenv(f"MESH_REGISTRY_{name.upper()}", getattr(settings, name))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def other(empty: Path, tmp_path: Path) -> Path:
    """The folder of another registry."""
    return Path(shutil.copytree(empty, tmp_path / "other"))


@pytest.fixture
def registry(own: Path) -> ModelRegistry:
    return open_registry(settings_of(own))


@pytest.fixture
def mesh(own: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Mesh:
    """Run the `mesh` command with arguments."""

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["mesh", "registry", *arguments])
        code = main()
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def _published(registry: ModelRegistry, tmp_path: Path) -> None:
    """Two trained versions, and one compiled from each."""
    source = tmp_path / "source"
    source.mkdir()
    for number in (1, 2):
        (source / "weights").write_text(f"trained {number}")
        trained = registry.publish(TRAINED, source, make_card(f"trained {number}"))
        (source / "weights").write_text(f"compiled {number}")
        registry.publish(COMPILED, source, make_card(f"compiled {number}", trained.reference))


def make_card(fingerprint: str, trained: str | None = None) -> ModelCard:
    return ModelCard(
        project="keywords",
        model_type="compiled" if trained else "trained",
        code_revision="abc",
        fingerprint=fingerprint,
        trained_version=trained,
    )


def stored(folder: Path, content: str) -> Path:
    """The file with a content in a registry's storage."""
    files = (path for path in (folder / "artifacts").rglob("weights") if path.is_file())
    (found,) = (path for path in files if path.read_text() == content)
    return found


@pytest.mark.usefixtures("_published")
def test_alias_history_and_rollback(mesh: Mesh, registry: ModelRegistry) -> None:
    for number in (1, 2):
        moved = mesh("alias", f"{COMPILED}-{number}", "prod")
        assert (moved.code, moved.output) == (0, f"{COMPILED}:prod is now {COMPILED}-{number}\n")
    back = mesh("rollback", f"{COMPILED}:prod")
    assert (back.code, back.output) == (0, f"{COMPILED}:prod is now {COMPILED}-1\n")
    assert registry.get(f"{COMPILED}:prod").version == 1
    moves = json.loads(mesh("history", COMPILED, "--json").output)
    assert [(move["before"], move["after"], move["undo"], move["who"]) for move in moves] == [
        (None, 1, False, "ann@host"),
        (1, 2, False, "ann@host"),
        (2, 1, True, "ann@host"),
    ]
    table = mesh("history", COMPILED).output
    assert [line.split()[-2:] for line in table.splitlines() if "prod" in line] == [
        ["alias", "ann@host"],
        ["alias", "ann@host"],
        ["rollback", "ann@host"],
    ]


@pytest.mark.usefixtures("_published")
def test_rollback_of_an_alias_that_never_moved(mesh: Mesh) -> None:
    mesh("alias", f"{COMPILED}-1", "prod")
    back = mesh("rollback", f"{COMPILED}:prod")
    assert back.code == 1
    assert back.errors.startswith(f"error: {COMPILED}:prod points at {COMPILED}-1, and no version")
    number = mesh("rollback", f"{COMPILED}-1")
    assert number.code == 2
    assert "can't be rolled back" in number.errors


@pytest.mark.usefixtures("_published")
def test_verify_names_damaged_files(mesh: Mesh, own: Path) -> None:
    intact = mesh("verify")
    assert intact.code == 0
    names = [f"{name}-{number}" for name in (COMPILED, TRAINED) for number in (1, 2)]
    assert intact.output.splitlines() == [f"{name}: intact" for name in names]
    stored(own, "trained 2").write_text("trained 3")
    damaged = mesh("verify", f"{TRAINED}-1", f"{TRAINED}-2")
    assert damaged.code == 1
    assert damaged.output.splitlines() == [
        f"{TRAINED}-1: intact",
        f"{TRAINED}-2: weights has other content than was published (its sha256 differs)",
    ]
    assert mesh("verify").code == 1
    assert mesh("verify", f"{TRAINED}-1").code == 0


@pytest.mark.usefixtures("_published")
def test_prune_lists_and_deletes_only_when_told(mesh: Mesh, registry: ModelRegistry) -> None:
    listed = mesh("prune", "--keep=1")
    assert listed.code == 0
    assert "2 versions, 0.0 MB: repeat with --delete to delete them" in listed.output
    assert len(registry.list()) == 4
    mesh("alias", f"{COMPILED}-1", "prod")
    needed = mesh("prune", "--keep=1", "--delete").output
    assert "prod points at it" in needed
    assert "deleted" not in needed
    mesh("alias", f"{COMPILED}-2", "prod")
    assert "prod can be rolled back to it" in mesh("prune", COMPILED, "--keep=1").output
    assert mesh("prune", "--delete").code == 2
    assert mesh("prune", "NER-TRAINED", "--keep=1").code == 1
    assert len(registry.list()) == 4


@pytest.mark.usefixtures("_published")
def test_prune_deletes_unneeded_versions(mesh: Mesh, registry: ModelRegistry) -> None:
    pruned = mesh("prune", "--keep=1", "--delete")
    assert pruned.code == 0
    assert pruned.output.splitlines()[-2:] == [
        f"{COMPILED}-1 is deleted",
        f"{TRAINED}-1 is deleted",
    ]
    assert [version.reference for version in registry.list()] == [f"{COMPILED}-2", f"{TRAINED}-2"]


@pytest.mark.usefixtures("_published")
def test_push_and_pull(mesh: Mesh, registry: ModelRegistry, other: Path, tmp_path: Path) -> None:
    mesh("alias", f"{COMPILED}-2", "prod")
    place = str(env_file(other))
    pushed = mesh("push", f"{COMPILED}:prod", "--to", place)
    assert (pushed.code, pushed.output) == (0, f"{COMPILED}:prod is {COMPILED}-1 there\n")
    there = open_registry(settings_of(other))
    assert [version.reference for version in there.list()] == [f"{COMPILED}-1", f"{TRAINED}-1"]
    assert there.get(f"{COMPILED}:prod").card.trained_version == f"{TRAINED}-1"
    (tmp_path / "source" / "weights").write_text("trained there")
    there.publish(TRAINED, tmp_path / "source", make_card("trained there"))
    pulled = mesh("pull", f"{TRAINED}-2", "--from", place)
    assert (pulled.code, pulled.output) == (0, f"{TRAINED}-2 is {TRAINED}-3 there\n")
    assert registry.get(f"{TRAINED}-3").card.fingerprint == "trained there"
    again = mesh("pull", f"{COMPILED}:prod", "--from", place)
    assert (again.code, again.output) == (0, f"{COMPILED}:prod is {COMPILED}-2 there\n")


@pytest.mark.usefixtures("_published")
def test_push_of_a_damaged_version(mesh: Mesh, own: Path, other: Path) -> None:
    stored(own, "trained 1").write_text("trained 7")
    pushed = mesh("push", f"{TRAINED}-1", "--to", str(env_file(other)))
    assert pushed.code == 1
    assert f"{TRAINED}-1 is damaged in the registry: weights has other" in pushed.errors
    assert open_registry(settings_of(other)).list() == []


@pytest.mark.usefixtures("_published")
@pytest.mark.parametrize(
    ("place", "problem"),
    [
        ("nowhere.env", "'nowhere.env' is neither an env file nor a URL"),
        ("ftp://registry", "'ftp://registry' is not understood"),
        ("sqlite:///{own}/registry.db", "are the same"),
        ("sqlite:///{own}/../own//registry.db", "are the same"),
        ("sqlite:///own/registry.db", "are the same"),
        ("own.env", "are the same"),
        (
            "typo.env",
            "MESH_REGISTRY_URL in typo.env is unknown; did you mean MESH_REGISTRY_URI?",
        ),
        ("empty.env", "empty.env names no registry: MESH_REGISTRY_URI is missing"),
        ("key.env", "MESH_REGISTRY_SIGNING_KEY: Value error"),
        ("line.env", "line.env, line 1: the line isn't NAME=value"),
    ],
)
def test_targets_that_can_not_be_copied_to(
    mesh: Mesh, own: Path, tmp_path: Path, place: str, problem: str
) -> None:
    uri = f"MESH_REGISTRY_URI={settings_of(own).uri}\n"
    for name, content in {
        "own": uri,
        "typo": uri.replace("URI", "URL", 1),
        "empty": "",
        "key": f"{uri}MESH_REGISTRY_SIGNING_KEY=hunter2\n",
        "line": "MESH_REGISTRY_SIGNING_KEY: hunter2\n",
    }.items():
        (tmp_path / f"{name}.env").write_text(content)
    before = sorted(path for path in own.rglob("*") if path.is_file())
    pushed = mesh("push", f"{TRAINED}-1", "--to", place.format(own=own))
    assert pushed.code == 2
    assert problem in pushed.errors
    assert "hunter2" not in pushed.errors
    assert sorted(path for path in own.rglob("*") if path.is_file()) == before


@pytest.mark.usefixtures("_published")
def test_registry_of_an_address_has_its_own_files(mesh: Mesh, other: Path) -> None:
    uri = f"sqlite:///{other}/registry.db"
    assert mesh("push", f"{TRAINED}-1", "--to", uri).code == 0
    assert stored(other, "trained 1").is_relative_to(other / "artifacts")
    assert open_registry(settings_of(other)).verify(f"{TRAINED}-1") == []


@pytest.mark.usefixtures("_published")
def test_keys_sign_published_versions_and_are_demanded(
    mesh: Mesh, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = mesh("keygen", "keys.env")
    assert made.code == 0
    keys = tmp_path / "keys.env"
    assert keys.stat().st_mode & 0o777 == 0o600
    variable, _, public = made.output.strip().partition("=")
    assert variable == "MESH_REGISTRY_TRUSTED_KEYS"
    place = env_file(other)
    place.write_text(place.read_text() + keys.read_text())
    pushed = mesh("push", f"{TRAINED}-1", "--to", str(place))
    assert pushed.code == 0, pushed.errors
    monkeypatch.setenv(variable, public)
    monkeypatch.setenv("MESH_REGISTRY_URI", settings_of(other).uri)
    monkeypatch.setenv("MESH_REGISTRY_ARTIFACTS", settings_of(other).artifacts)
    assert mesh("verify").output == f"{TRAINED}-1: intact\n"
    monkeypatch.setenv(variable, mesh("keygen", "others.env").output.partition("=")[2].strip())
    refused = mesh("verify")
    assert refused.code == 1
    assert f"it is signed with the key {public}" in refused.output


def test_keys_never_replace_a_file(mesh: Mesh, tmp_path: Path) -> None:
    (tmp_path / "keys.env").write_text("precious")
    made = mesh("keygen", "keys.env")
    assert (made.code, made.output) == (1, "")
    assert "keys.env can't be made: File exists" in made.errors
    assert (tmp_path / "keys.env").read_text() == "precious"


@pytest.mark.usefixtures("_published")
def test_a_damaged_record_is_reported_and_the_rest_goes_on(mesh: Mesh, own: Path) -> None:
    client = MlflowClient(f"sqlite:///{own}/registry.db", f"sqlite:///{own}/registry.db")
    client.set_model_version_tag(TRAINED, "1", "mesh.card.0000", "{")
    damage = f"error: The record of {TRAINED}-1 is damaged: "
    listed = mesh("list")
    assert listed.code == 1
    assert listed.errors.startswith(damage)
    assert len(listed.output.splitlines()) == len(mesh("list", COMPILED).output.splitlines()) + 1
    assert [one["reference"] for one in json.loads(mesh("list", "--json").output)] == [
        f"{COMPILED}-1",
        f"{COMPILED}-2",
        f"{TRAINED}-2",
    ]
    verified = mesh("verify")
    assert verified.code == 1
    assert verified.errors.startswith(damage)
    assert f"{TRAINED}-2: intact" in verified.output
    both = mesh("verify", f"{TRAINED}-1", f"{TRAINED}-2")
    assert both.code == 1
    assert both.output.splitlines()[1] == f"{TRAINED}-2: intact"
    pruned = mesh("prune", "--keep=1", "--delete")
    assert pruned.code == 1
    assert pruned.errors.startswith(damage)
    assert f"{COMPILED}-1 is deleted" in pruned.output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("show", "KEYWORDS"), "'KEYWORDS' isn't a version of a model"),
        (("verify", "KEYWORDS-TRAINED-1", "x"), "'x' isn't a version of a model"),
        (("alias", "KEYWORDS-TRAINED-0", "prod"), "isn't a version of a model"),
        (("alias", "KEYWORDS-TRAINED-1", "latest"), "'latest' can't be given as an alias"),
        (("rollback", "KEYWORDS-TRAINED-1"), "can't be rolled back"),
        (("history", "keywords"), "'keywords' isn't the name of a model"),
        (("list", "keywords"), "'keywords' isn't the name of a model"),
        (("prune", "keywords", "--keep=1"), "'keywords' isn't the name of a model"),
        (("push", "keywords", "--to", "sqlite:///there/registry.db"), "isn't a version of a model"),
        (
            ("pull", "keywords", "--from", "sqlite:///there/registry.db"),
            "isn't a version of a model",
        ),
    ],
)
def test_nothing_is_made_for_a_malformed_reference(
    mesh: Mesh,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    problem: str,
) -> None:
    monkeypatch.setenv("MESH_REGISTRY_URI", "sqlite:///new/registry.db")
    refused = mesh(*arguments)
    assert refused.code == 2
    assert problem in refused.errors
    assert [path.name for path in tmp_path.iterdir()] == ["own"]


def test_upgrade_says_what_it_did(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    upgraded = mesh("upgrade")
    assert upgraded.code == 0
    assert upgraded.output.endswith(" already.\n")
    monkeypatch.setenv("MESH_REGISTRY_URI", "http://registry:5000")
    refused = mesh("upgrade")
    assert refused.code == 2
    assert "is a server" in refused.errors
