from dataclasses import replace
from pathlib import Path

import pytest

from mesh.backfill.models import describe_model, placement, shown_variables
from mesh.backfill.worker import Board, model_directory
from mesh.compile.spec import CompileSpec
from mesh.core.card import COMPILED, ModelCard
from mesh.core.devices import current_placement
from mesh.core.errors import MeshError, UsageError
from mesh.core.manifest import Manifest
from mesh.core.precisions import Precision
from mesh.core.project import load_project
from shout_project import plan, write_parquet


def test_board_knows_begun_shards_and_lets_none_begin_after_a_stop() -> None:
    board = Board()
    assert board.begin("a")
    assert board.begin("b")
    board.set("a", 3, 1)
    board.set("gone", 5, 5)
    assert board.look([]) == {"a": (3, 1), "b": (0, 0)}
    # It is tried again.
    assert board.begin("a")
    assert board.look(["b"]) == {"a": (0, 0)}
    board.stop()
    assert not board.begin("c")
    assert board.look([]) == {"a": (0, 0)}


def test_machine_without_the_version_gets_its_files(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ray.get", lambda reference: reference)
    monkeypatch.setattr("tempfile.tempdir", str(workspace / "tmp"))
    write_parquet(workspace / "in/a.parquet", [{"text": "a"}])
    job = replace(plan("--input", "in", "--output", "out").job, directory=Path("/away/SHOUT-3"))
    files = [{"model_card.json": b"{}", "deep/er/model.onnx": b"network"}]
    for _ in range(2):
        with model_directory(job, files) as directory:
            assert directory is not None
            assert directory.name == "SHOUT-3"
            assert (directory / "deep/er/model.onnx").read_bytes() == b"network"
            assert (directory / "model_card.json").read_bytes() == b"{}"
    with model_directory(job, []) as directory:
        assert directory == Path("/away/SHOUT-3")


def test_settings_of_the_model_go_to_workers_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOUT_MARK", "?")
    monkeypatch.setenv("SHOUT_OTHER", "x")
    project = load_project("shout")
    assert shown_variables(project) == {"SHOUT_MARK": "?"}
    monkeypatch.setenv("SHOUT_MARK", "https://me:s3cret@example.org")
    assert shown_variables(project) == {}


def compiled_version(directory: Path, precisions: tuple[Precision, ...]) -> Path:
    """A version without its network, which isn't read."""
    spec = CompileSpec(
        task="sentence-embedding",
        backend="onnx",
        max_length=8,
        length_buckets=(8,),
        dimension=2,
        pooling="mean",
        precisions=precisions,
    )
    (directory / COMPILED).mkdir(parents=True)
    spec.write(directory / COMPILED)
    Manifest.of(directory / COMPILED).write(directory / COMPILED)
    card = ModelCard(project="shout", model_type="compiled", code_revision="1", fingerprint="a")
    card.write(directory)
    return directory


def test_precision_of_a_model_without_a_network_is_refused() -> None:
    project = load_project("shout")
    with pytest.raises(UsageError, match="BACKFILL_PRECISION=int8 has no effect on this model"):
        describe_model(project, None, [], "int8")


def test_precision_that_was_not_checked_is_refused_with_those_that_were(tmp_path: Path) -> None:
    directory = compiled_version(tmp_path / "SHOUT-COMPILED-3", ("float32", "int8"))
    project = load_project("shout")
    with pytest.raises(
        UsageError, match="parity of SHOUT-COMPILED-3 was checked in float32 and int8. Choose one"
    ):
        describe_model(project, directory, [], "bfloat16")
    entries = [describe_model(project, directory, [], each) for each in ("float32", "int8")]
    assert entries[0].fingerprint != entries[1].fingerprint
    assert entries[0] == describe_model(project, directory, [])


def test_network_computes_in_the_precision_or_not_at_all() -> None:
    with placement("float32"):
        assert (
            current_placement().choose_precision(("float32", "int8"), ("int8", "float32"))
            == "float32"
        )
    with (
        pytest.raises(
            MeshError, match="BACKFILL_PRECISION=int8 can't be used: .* Choose float32, or"
        ),
        placement("int8"),
    ):
        current_placement().choose_precision(("float32", "int8"), ("float32",))
