"""`mesh registry alias ... prod` of a project whose recipe declares conditions."""

import json
from pathlib import Path

import pytest

from mesh.core.card import ModelCard
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh_in_process import Mesh, make_mesh, settings_of, use_copy

MODEL = "SENTIMENT-TRAINED"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a registry, made once, since that takes seconds.

    The second version has worse scores than the first, the third has better ones.
    """
    folder = tmp_path_factory.mktemp("registry")
    registry = open_registry(settings_of(folder))
    source = folder / "source"
    source.mkdir()
    for number, score in enumerate((0.8, 0.7, 0.9), start=1):
        (source / "weights").write_text(f"{number}")
        test = {"rows": 100, "macro_f1": score}
        card = ModelCard(
            project="sentiment",
            model_type="trained",
            code_revision="abc",
            fingerprint=f"{number}",
            data_version="d1",
            metrics={"test": test},
        )
        registry.publish(MODEL, source, card)
    return folder


@pytest.fixture
def registry(published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelRegistry:
    return use_copy(published, tmp_path / "own", monkeypatch)


@pytest.fixture
def mesh(
    registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Mesh:
    return make_mesh("registry", monkeypatch, capsys)


def test_worse_version_is_refused_unless_it_is_forced_with_a_reason(
    mesh: Mesh, registry: ModelRegistry
) -> None:
    assert mesh("alias", f"{MODEL}-1", "prod")[0] == 0
    code, _, errors = mesh("alias", f"{MODEL}-2", "prod")
    assert code == 1
    assert errors.startswith(
        f"error: {MODEL}-2 can't become {MODEL}:prod: macro_f1 is 0.7000, 0.1000 below the 0.8000 of "
        f"{MODEL}-1 on the same 100 rows (at most 0.01 is allowed). "
    )
    assert mesh("alias", f"{MODEL}-2", "prod", "--why", "I like it")[0] == 1
    for reason in ((), ("--why", " ")):
        code, _, errors = mesh("alias", f"{MODEL}-2", "prod", "--force", *reason)
        assert (code, errors.count("\n")) == (2, 1)
        assert "--force needs a reason" in errors
    assert registry.get(f"{MODEL}:prod").version == 1
    why = "the old one names [bold]users[/bold]"
    assert mesh("alias", f"{MODEL}-2", "prod", "--force", "--why", why)[0] == 0
    assert mesh("alias", f"{MODEL}-3", "prod", "--why", "better")[0] == 0
    moves = json.loads(mesh("history", MODEL, "--json")[1])
    assert [(move["after"], move["why"]) for move in moves] == [
        (1, ""),
        (
            2,
            f"{why} (in spite of: macro_f1 is 0.7000, 0.1000 below the 0.8000 of {MODEL}-1 on the same "
            "100 rows (at most 0.01 is allowed))",
        ),
        (3, "better"),
    ]
    assert why in mesh("history", MODEL)[1]


def test_other_aliases_and_rollbacks_are_not_asked(mesh: Mesh, registry: ModelRegistry) -> None:
    mesh("alias", f"{MODEL}-1", "prod")
    mesh("alias", f"{MODEL}-3", "prod")
    assert mesh("alias", f"{MODEL}-2", "dev")[0] == 0
    # Comparing it with itself would ask for nothing.
    assert mesh("alias", f"{MODEL}:prod", "prod")[0] == 0
    assert mesh("rollback", f"{MODEL}:prod")[0] == 0
    assert registry.get(f"{MODEL}:prod").version == 1


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        ((f"{MODEL}-9", "prod"), 1, f"There is no {MODEL}-9"),
        ((f"{MODEL}:stage", "prod"), 1, f"{MODEL} has no alias 'stage'"),
        (("NER-TRAINED-1", "prod"), 1, "No version of NER-TRAINED is registered"),
        ((f"{MODEL}-1", "latest"), 2, "'latest' can't be given as an alias"),
        ((f"{MODEL}-1", "prod", "--why", "x" * 501), 2, "The reason has 501 characters"),
    ],
)
def test_bad_input_ends_in_one_sentence(
    mesh: Mesh, arguments: tuple[str, ...], code: int, problem: str
) -> None:
    found, output, errors = mesh("alias", *arguments)
    assert (found, output, errors.count("\n")) == (code, "", 1)
    assert problem in errors
