"""`mesh report`: the file, the attachment, and what can't be reported on."""

from pathlib import Path

import numpy as np
import pytest

from mesh.core.card import ModelCard
from mesh.data.dataset import ClassifiedText
from mesh.lifecycle.training.details import class_details
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh_in_process import Mesh, make_mesh, settings_of, use_copy

MODEL = "TINY-TRAINED"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a registry, made once, since that takes seconds.

    Two versions of a model: the first has two of four rows wrong, the second one of them.
    """
    folder = tmp_path_factory.mktemp("registry")
    registry = open_registry(settings_of(folder))
    source = folder / "source"
    (source / "evaluation").mkdir(parents=True)
    rows = [
        ClassifiedText(text=f"row {one}", label="good", language="en", domain="x")
        for one in range(4)
    ]
    for number in (1, 2):
        good = np.array([0.9, 0.8, 0.7 if number == 2 else 0.2, 0.1])
        found = class_details(
            rows, ("bad", "good"), np.ones(4, dtype=int), np.column_stack([1 - good, good])
        )
        (source / "evaluation/details.json").write_text(found.model_dump_json())
        card = ModelCard(
            project="tiny",
            model_type="trained",
            code_revision="abc",
            fingerprint=f"{number}",
            data_version="d1",
        )
        registry.publish(MODEL, source, card)
    (source / "evaluation/details.json").write_text("{}")
    registry.publish(
        "OTHER-TRAINED",
        source,
        ModelCard(project="other", model_type="trained", code_revision="abc", fingerprint="3"),
    )
    return folder


@pytest.fixture
def registry(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelRegistry:
    return use_copy(published, tmp_path / "own", monkeypatch)


@pytest.fixture
def mesh(
    registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Mesh:
    return make_mesh("report", monkeypatch, capsys)


def test_report_is_written_and_attached(mesh: Mesh, registry: ModelRegistry) -> None:
    code, output, errors = mesh(f"{MODEL}:latest")
    assert (code, errors) == (0, "")
    file = Path(f"{MODEL}-2.html")
    assert output.startswith(f"{file} is written (")
    assert f"{MODEL}-2 has it as report.html" in output
    page = file.read_text()
    assert "1 of the 4 rows are wrong" in page
    assert registry.read_attachment(f"{MODEL}-2", "report.html") == file.read_bytes()
    assert registry.verify(f"{MODEL}-2") == []
    assert mesh(f"{MODEL}-2", "--output", "reports/again.html")[0] == 0
    assert registry.read_attachment(f"{MODEL}-2", "report.html") == (
        Path("reports/again.html").read_bytes()
    )


def test_two_versions_are_compared_and_nothing_is_attached(
    mesh: Mesh, registry: ModelRegistry
) -> None:
    assert mesh("--compare", f"{MODEL}-2", f"{MODEL}-1")[0] == 0
    page = Path(f"{MODEL}-2-and-1.html").read_text()
    assert f"{MODEL}-2 has 1 rows right that {MODEL}-1 has wrong, and 0 the other way round" in page
    assert mesh(f"{MODEL}-1", "--no-attach")[0] == 0
    assert [dict(one.attachments) for one in registry.list()] == [{}, {}, {}]


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        ((), 2, "Name one version, or two after --compare."),
        ((f"{MODEL}-1", "--compare", f"{MODEL}-1", f"{MODEL}-2"), 2, "Name one version"),
        (("--compare", f"{MODEL}-1", f"{MODEL}-1"), 2, "are the same version"),
        (("--compare", f"{MODEL}-1", "OTHER-TRAINED-1"), 2, "versions of different models"),
        ((f"{MODEL}-9",), 1, f"There is no {MODEL}-9"),
        ((f"{MODEL}:prod",), 1, f"{MODEL} has no alias 'prod'"),
        (("tiny",), 2, "'tiny' isn't a version of a model"),
        (("OTHER-TRAINED-1",), 1, "details.json is malformed: "),
        ((f"{MODEL}-1", "--output", "r.db/x.html"), 1, "r.db"),
    ],
)
def test_what_can_not_be_reported_on_ends_in_one_sentence(
    mesh: Mesh, registry: ModelRegistry, arguments: tuple[str, ...], code: int, problem: str
) -> None:
    found, output, errors = mesh(*arguments)
    assert (found, output, errors.count("\n")) == (code, "", 1)
    assert problem in errors
    assert not list(Path().glob("*.html"))
    assert [dict(one.attachments) for one in registry.list()] == [{}, {}, {}]


@pytest.mark.parametrize("arguments", [("tiny",), ("--compare", f"{MODEL}-1", "tiny")])
def test_nothing_is_made_for_a_malformed_reference(
    mesh: Mesh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("MESH_REGISTRY_URI", f"sqlite:///{tmp_path}/new/registry.db")
    code, _, errors = mesh(*arguments)
    assert (code, errors.count("\n")) == (2, 1)
    assert "'tiny' isn't a version of a model" in errors
    assert not (tmp_path / "new").exists()


def test_read_only_registry_takes_no_report(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESH_REGISTRY_CLIENT_MODE", "read-only")
    code, output, errors = mesh(f"{MODEL}-1")
    assert (code, errors.count("\n")) == (1, 1)
    assert "is written" in output
    assert "the registry is read-only" in errors
    assert mesh(f"{MODEL}-1", "--no-attach")[0] == 0
