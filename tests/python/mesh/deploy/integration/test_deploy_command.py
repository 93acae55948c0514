"""`mesh deploy`: what it writes and says, and what it refuses with one sentence and no file."""

from pathlib import Path

import pytest

from mesh.core.card import ModelCard
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh_in_process import Mesh, make_mesh, settings_of, use_copy

PROD = "KEYWORDS-COMPILED:prod"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a registry, made once, since that takes seconds: one version, which is prod."""
    folder = tmp_path_factory.mktemp("registry")
    registry = open_registry(settings_of(folder))
    source = folder / "source"
    source.mkdir()
    (source / "weights").write_text("1")
    card = ModelCard(
        project="keywords", model_type="compiled", code_revision="abc", fingerprint="f1"
    )
    registry.publish("KEYWORDS-COMPILED", source, card)
    registry.alias("KEYWORDS-COMPILED-1", "prod")
    return folder


@pytest.fixture
def registry(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelRegistry:
    for name in ("IMAGE_REGISTRY", "IMAGE_TAG"):
        monkeypatch.delenv(name, raising=False)
    return use_copy(published, tmp_path / "own", monkeypatch)


@pytest.fixture
def mesh(
    registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Mesh:
    return make_mesh("deploy", monkeypatch, capsys)


def test_version_gets_its_number_and_a_warning(
    mesh: Mesh, registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_REGISTRY", "localhost:5000")
    asked = ("keywords", "--version", PROD, "--emit", "out", "--image-tag", "7", "--name", "kw")
    code, output, errors = mesh(*asked)
    assert code == 0
    assert "out has the manifests of KEYWORDS-COMPILED-1: 24 files" in output
    assert errors.startswith("warning: KEYWORDS-COMPILED-1 is deployed although no load test of it")
    deployment = Path("out/base/deployment.yaml").read_text()
    assert "  name: kw\n" in deployment
    assert 'image: "localhost:5000/keywords-serve:7"' in deployment
    assert 'org.mesh/warning: "KEYWORDS-COMPILED-1 is deployed although no load' in deployment
    assert PROD not in deployment
    assert mesh(*asked)[0] == 0
    # Nothing is promoted or attached.
    [version] = registry.list()
    assert (version.aliases, dict(version.attachments)) == (("prod",), {})


def test_code_needs_no_registry(
    mesh: Mesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESH_REGISTRY_URI", f"sqlite:///{tmp_path}/new/registry.db")
    code, output, errors = mesh("lsh", "--emit", "out")
    assert (code, errors) == (0, "")
    assert "out has the manifests of the server of lsh: 22 files" in output
    assert not (tmp_path / "new").exists()


def test_server_is_told_where_its_traces_go(mesh: Mesh) -> None:
    code, _, errors = mesh(
        *("lsh", "--emit", "out", "--traces-to", "http://c:4318", "--traces-share", "0.5")
    )
    assert (code, errors) == (0, "")
    deployment = Path("out/base/deployment.yaml").read_text()
    for value in ("http://c:4318", "0.5"):
        assert f'value: "{value}"\n' in deployment


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (("keyword", "--version", PROD), 2, "There is no project 'keyword'; did you mean keywords"),
        (("keywords",), 2, "Name the version of keywords to deploy"),
        (("keywords", "--version", "KEYWORDS-COMPILED:stage"), 1, "has no alias 'stage'"),
        (("keywords", "--version", "KEYWORDS-COMPILED-9"), 1, "There is no KEYWORDS-COMPILED-9"),
        (("keywords", "--version", "prod"), 2, "'prod' isn't a version of a model"),
        (("keywords", "--version", "NER-COMPILED-1"), 2, "is a version of NER-COMPILED"),
        (("ner", "--version", "NER-COMPILED-1"), 1, "No version of NER-COMPILED is registered"),
        (("lsh", "--version", "LSH-COMPILED-1"), 2, "leave --version out"),
        (("lsh", "--name", "Lsh_1"), 2, "Kubernetes takes no 'Lsh_1'"),
        (("lsh", "--image-tag", "a b"), 2, "'a b' isn't the tag of an image"),
        (("lsh", "--image-registry", "user:secret@host"), 2, "'***' isn't a registry"),
        (("lsh", "--traces-to", "collector:4318"), 2, "'collector:4318' is no collector's address"),
    ],
)
def test_what_can_not_be_deployed_ends_in_one_sentence(
    mesh: Mesh, arguments: tuple[str, ...], code: int, problem: str
) -> None:
    found, output, errors = mesh(*arguments, "--emit", "out/new")
    assert (found, output, errors.count("\n")) == (code, "", 1)
    assert problem in errors
    assert "secret" not in errors
    assert not Path("out").exists()


def test_folder_of_others_is_kept(mesh: Mesh) -> None:
    Path("out").mkdir()
    Path("out/notes").write_text("mine")
    code, output, errors = mesh("lsh", "--emit", "out")
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert "out holds notes, which `mesh deploy` has not written" in errors
    assert [path.name for path in Path("out").iterdir()] == ["notes"]
