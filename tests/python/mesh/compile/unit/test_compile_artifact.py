import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from mesh.compile.artifact import CompiledModel, check_complete
from mesh.compile.backends import served_by
from mesh.compile.spec import Backend, CompileSpec
from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.core.roots import DEFAULT_BACKEND


@pytest.fixture
def make_compiled(tmp_path: Path, tokenizer_file: Path) -> Callable[[str], Path]:
    """Makes a folder that is complete by its manifest but has nonsense in place of the network."""

    def make(backend: str) -> Path:
        directory = tmp_path / "compiled"
        directory.mkdir()
        fields = {
            "task": "sentence-embedding",
            "backend": backend,
            "pooling": "mean",
            "dimension": 4,
        }
        CompileSpec.model_validate({**fields, "max_length": 8, "length_buckets": (8,)}).write(
            directory
        )
        (directory / "tokenizer.json").write_bytes(tokenizer_file.read_bytes())
        for name in ("model.onnx", "model.onnx.data", "model.pt"):
            (directory / name).write_bytes(b"nonsense" * 100)
        Manifest.of(directory).write(directory)
        return directory

    return make


def _flip_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "model.onnx").unlink(), r"model\.onnx is missing"),
        (lambda folder: (folder / "tokenizer.json").unlink(), r"tokenizer\.json is missing"),
        (
            lambda folder: (folder / "manifest.json").unlink(),
            r"no compiled model: its manifest\.json is missing",
        ),
        (
            lambda folder: (folder / "manifest.json").write_text("{}"),
            r"manifest\.json is malformed",
        ),
        (
            lambda folder: _flip_bit(folder / "model.onnx.data"),
            r"model\.onnx\.data has other content",
        ),
        (
            lambda folder: (folder / "model.onnx").write_text("{}"),
            r"model\.onnx has 2 bytes instead of 800",
        ),
        (
            lambda folder: (folder / "model.onnx.data").rename(folder.parent / "data")
            and (folder / "model.onnx.data").symlink_to(folder.parent / "data"),
            r"model\.onnx\.data is a link to .*/data, and files of a model can't be links",
        ),
        (
            lambda folder: (folder / "left-over").write_text("{}"),
            "left-over is not in the manifest",
        ),
    ],
)
def test_damaged_models_are_refused(
    make_compiled: Callable[[str], Path], spoil: Callable[[Path], None], message: str
) -> None:
    directory = make_compiled("onnx")
    check_complete(directory)
    spoil(directory)
    with pytest.raises(MeshError, match=message):
        CompiledModel.load(directory)


def test_file_that_is_no_onnx_model_is_refused(make_compiled: Callable[[str], Path]) -> None:
    with pytest.raises(MeshError, match=r"ONNX Runtime .* can't load .*model\.onnx"):
        CompiledModel.load(make_compiled("onnx"))


@pytest.mark.parametrize(
    ("missing", "named"),
    [("torch", "the package 'torch'"), ("mesh.compile.loaders.generic", "a module")],
)
def test_what_is_missing_for_a_backend_is_named_with_what_serves_it(
    make_compiled: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    named: str,
) -> None:
    directory = make_compiled("generic")
    monkeypatch.delitem(sys.modules, "mesh.compile.loaders.generic", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MeshError) as refused:
        CompiledModel.load(directory)
    assert f"'generic' needs {named} that is not installed here. " in str(refused.value)
    assert "`mesh up` serves it" in str(refused.value)


def test_every_backend_but_the_servers_own_says_what_serves_it() -> None:
    assert served_by(DEFAULT_BACKEND) is None
    for backend in set(get_args(Backend)) - {DEFAULT_BACKEND}:
        assert f"{backend!r}: `mesh up` serves it" in str(served_by(backend))


def test_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="nowhere holds no compiled model"):
        CompiledModel.load(tmp_path / "nowhere")
