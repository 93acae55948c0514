from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mesh.compile.parity import ParityReport, compare_models, overlong
from mesh.compile.spec import CompileSpec
from mesh.compile.text_model import TextModel
from mesh.compile.tokenizer import TextTokenizer
from mesh.core.errors import MeshError
from mesh.core.precisions import FLOAT32

SPEC = CompileSpec(
    task="sentence-embedding",
    backend="onnx",
    max_length=8,
    length_buckets=(8,),
    pooling="mean",
    dimension=3,
    max_batch_tokens=64,
)


class Moments:
    """Mean and mean square of the token ids, and a constant; wrong for padded rows."""

    fixed_shapes = False
    few_shapes = False
    runs_on = ("cpu",)
    precision = FLOAT32

    def __init__(self, error: float = 0.0, padding_error: float = 0.0) -> None:
        self._error = error
        self._padding_error = padding_error

    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        counts = attention_mask.sum(1)
        means = (input_ids * attention_mask).sum(1) / counts
        squares = (input_ids**2 * attention_mask).sum(1) / counts / 100
        padded = counts < input_ids.shape[1]
        means = means + self._error + self._padding_error * padded
        return np.stack([means, squares, np.ones_like(means)], axis=1).astype(np.float32)


def report(tokenizer_file: Path, compiled: Moments, texts: list[str]) -> ParityReport:
    tokenizer = TextTokenizer(tokenizer_file, SPEC)
    return compare_models(
        TextModel(SPEC, tokenizer, Moments()), TextModel(SPEC, tokenizer, compiled), texts
    )


def test_equal_models_pass_on_every_text_alone_and_together(tokenizer_file: Path) -> None:
    result = report(tokenizer_file, Moments(), ["some text", "", "more"])
    assert result.passed
    assert [(case.text, case.call) for case in result.cases] == [
        (text, call) for call in ("alone", "together") for text in range(4)
    ]
    assert result.cases[3].overflow_tokens > 0
    assert ParityReport.model_validate_json(result.model_dump_json()) == result


def test_difference_beyond_the_tolerance_fails(tokenizer_file: Path) -> None:
    result = report(tokenizer_file, Moments(error=0.01), ["some text"])
    assert not result.passed
    assert result.max_abs_difference == pytest.approx(0.01, rel=0.01)
    assert report(tokenizer_file, Moments(error=0.00001), ["some text"]).passed


def test_error_of_padding_fails_in_the_common_call_only(tokenizer_file: Path) -> None:
    result = report(tokenizer_file, Moments(padding_error=0.5), ["abcd", "abcde", "ab"])
    assert not result.passed
    failed = [case for case in result.cases if not case.passed]
    assert failed
    assert {case.call for case in failed} == {"together"}


def test_output_that_is_no_number_is_refused(tokenizer_file: Path) -> None:
    with pytest.raises(MeshError, match="text 0 is not finite"):
        report(tokenizer_file, Moments(error=float("nan")), ["some text"])


@pytest.mark.parametrize("texts", [[], ["", "  "]])
def test_nothing_to_compare_is_refused(tokenizer_file: Path, texts: list[str]) -> None:
    with pytest.raises(MeshError, match="without texts"):
        report(tokenizer_file, Moments(), texts)


@pytest.mark.parametrize("texts", [["a"], ["one two three", ""], ["word " * 100]])
def test_overlong_text_is_made_of_the_texts(texts: list[str]) -> None:
    words = overlong(texts, 16).split()
    assert len(words) > 32
    assert set(words) == set(" ".join(texts).split())
