"""The joining of windows and batches, with a network that can be computed by hand."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mesh.compile.batching import PASS_TOKENS, bucket_rows
from mesh.compile.spec import CompileSpec
from mesh.compile.text_model import PROCESSOR_PASS_TOKENS, TextModel
from mesh.compile.tokenizer import TextTokenizer
from mesh.core.devices import PROVIDERS
from mesh.core.errors import UsageError
from mesh.core.passes import watched
from mesh.core.precisions import FLOAT32


class MeanOfIds:
    """(mean token id, 1) for each row with special tokens, or (id, position) for each token."""

    runs_on = ("cpu",)
    precision = FLOAT32

    def __init__(
        self, spec: CompileSpec, *, fixed_shapes: bool = False, few_shapes: bool = False
    ) -> None:
        self.fixed_shapes = fixed_shapes
        self.few_shapes = few_shapes
        self.shapes: list[tuple[int, ...]] = []
        self._spec = spec

    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        self.shapes.append(input_ids.shape)
        if self._spec.task == "token-classification":
            positions = np.broadcast_to(np.arange(input_ids.shape[1]), input_ids.shape)
            return np.stack([input_ids, positions], axis=2).astype(np.float32)
        means = (input_ids * attention_mask).sum(1) / attention_mask.sum(1)
        return np.stack([means, np.ones_like(means)], axis=1).astype(np.float32)


def make_model(
    tokenizer_file: Path, *, fixed_shapes: bool = False, few_shapes: bool = False, **changes: Any
) -> tuple[TextModel, MeanOfIds]:
    fields: dict[str, Any] = {
        "task": "sentence-embedding",
        "backend": "onnx",
        "max_length": 6,
        "length_buckets": (4, 6),
        "max_batch_tokens": 12,
        "pooling": "mean",
        "dimension": 2,
        **changes,
    }
    if fields["task"] != "sentence-embedding":
        fields |= {"pooling": None, "labels": ("one", "two")}
    spec = CompileSpec.model_validate(fields)
    program = MeanOfIds(spec, fixed_shapes=fixed_shapes, few_shapes=few_shapes)
    return TextModel(spec, TextTokenizer(tokenizer_file, spec), program), program


A, B = (
    4,
    5,
)  # ids of the letters; following letters of a word have others, so words are single letters here


def test_results_come_in_the_order_of_the_texts(tokenizer_file: Path) -> None:
    model, program = make_model(tokenizer_file)
    texts = ["a b a b", "b", "a", "a b", "", "b b b b"]
    expected = [
        (2 + A + B + A + B + 3) / 6,
        (2 + B + 3) / 3,
        (2 + A + 3) / 3,
        (2 + A + B + 3) / 4,
        2.5,
        (2 + 4 * B + 3) / 6,
    ]
    np.testing.assert_allclose(model.embed(texts)[:, 0], expected, rtol=1e-6)
    assert len(program.shapes) > 1


@pytest.mark.parametrize("task", ["sentence-embedding", "token-classification"])
def test_few_shapes_give_the_same_results(tokenizer_file: Path, task: str) -> None:
    changes: dict[str, Any] = {
        "task": task,
        "max_length": 24,
        "length_buckets": (24,),
        "max_batch_tokens": 1024,
    }
    any_shapes, free = make_model(tokenizer_file, **changes)
    few_shapes, filled = make_model(tokenizer_file, few_shapes=True, **changes)
    texts = [*"ababababa", " ".join("ab" * 8), " ".join("ba" * 8), " ".join("ab" * 10)]
    for expected, found in zip(results(any_shapes, texts), results(few_shapes, texts), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert free.shapes == [(9, 3), (3, 22)]
    assert filled.shapes == [(12, 3), (3, 24)]


def results(model: TextModel, texts: list[str]) -> list[NDArray[np.float32]]:
    if model.spec.task == "token-classification":
        return [each.logits for each in model.token_logits(texts)]
    return list(model.embed(texts))


def test_fixed_shapes_are_those_of_the_buckets(tokenizer_file: Path) -> None:
    dynamic, _ = make_model(tokenizer_file)
    fixed, program = make_model(tokenizer_file, fixed_shapes=True)
    texts = ["a b a b", "b", "a", "a b", "", "b b b b", "a", "a"]
    np.testing.assert_allclose(fixed.embed(texts), dynamic.embed(texts), rtol=1e-6)
    assert set(program.shapes) == {(bucket_rows(bucket, 12), bucket) for bucket in (4, 6)}


def test_a_processor_computes_few_tokens_at_once_and_others_as_many_as_the_spec_says(
    tokenizer_file: Path,
) -> None:
    texts = ["a b a b"] * 200
    largest = {}
    for device in ("cpu", "cuda"):
        model, program = make_model(tokenizer_file, max_batch_tokens=1024)
        program.runs_on = (PROVIDERS[device],)
        np.testing.assert_allclose(model.embed(texts), np.repeat(model.embed(texts[:1]), 200, 0))
        largest[device] = max(rows * length for rows, length in program.shapes)
    assert largest == {"cpu": PROCESSOR_PASS_TOKENS // 6 * 6, "cuda": 1024 // 6 * 6}


def test_no_texts_give_no_rows(tokenizer_file: Path) -> None:
    model, program = make_model(tokenizer_file)
    assert model.embed([]).shape == (0, 2)
    assert program.shapes == []


def test_truncation_uses_the_beginning_only_and_says_so(tokenizer_file: Path) -> None:
    model, _ = make_model(tokenizer_file)
    np.testing.assert_array_equal(model.embed(["a a a a b b"]), model.embed(["a a a a"]))
    assert model.overflow_tokens(["a a a a b b", "a"]) == [2, 0]


def test_windows_are_weighted_by_their_tokens(tokenizer_file: Path) -> None:
    model, _ = make_model(tokenizer_file, overflow="window")
    first, second = (2 + 4 * A + 3) / 6, (2 + B + 3) / 3
    np.testing.assert_allclose(
        model.embed(["b", "a a a a b"])[:, 0], [second, (4 * first + second) / 5], rtol=1e-6
    )
    assert model.overflow_tokens(["a a a a b", ""]) == [0, 0]


def test_joined_windows_are_normalized_again(tokenizer_file: Path) -> None:
    model, _ = make_model(tokenizer_file, overflow="window", normalize=True)
    np.testing.assert_allclose(np.linalg.norm(model.embed(["a a a a b b"]), axis=1), 1, rtol=1e-6)


def test_text_logits_are_joined_like_embeddings(tokenizer_file: Path) -> None:
    embedding, _ = make_model(tokenizer_file, overflow="window")
    classifier, _ = make_model(tokenizer_file, overflow="window", task="text-classification")
    texts = ["a a a a b", "b a"]
    np.testing.assert_array_equal(classifier.logits(texts), embedding.embed(texts))


@pytest.mark.parametrize("stride", [0, 1, 2, 3])
def test_token_logits_name_each_token_once_with_its_characters(
    tokenizer_file: Path, stride: int
) -> None:
    model, _ = make_model(
        tokenizer_file, overflow="window", stride=stride, task="token-classification"
    )
    text = "a b c d e f g h i j k"
    empty, result = model.token_logits(["", text])
    assert empty.offsets.shape == empty.logits.shape == (0, 2)
    assert [text[start:stop] for start, stop in result.offsets] == text.split()
    assert result.logits[:, 0].tolist() == [float(A + number) for number in range(11)]


def test_shared_tokens_are_taken_from_the_window_where_they_have_more_context(
    tokenizer_file: Path,
) -> None:
    model, _ = make_model(tokenizer_file, overflow="window", stride=2, task="token-classification")
    [result] = model.token_logits(["a b c d e f"])
    # Windows "a b c d" and "c d e f": c is third in the first and first in the second, d the other
    # way round.
    assert result.logits[:, 1].tolist() == [1, 2, 3, 2, 3, 4]


def test_a_method_of_another_task_is_refused(tokenizer_file: Path) -> None:
    model, _ = make_model(tokenizer_file)
    with pytest.raises(TypeError, match="sentence-embedding, not text-classification"):
        model.logits(["a"])
    with pytest.raises(TypeError, match="sentence-embedding, not token-classification"):
        model.token_logits(["a"])


def test_threads_get_their_own_results(tokenizer_file: Path) -> None:
    model, _ = make_model(tokenizer_file)
    texts = [["a"] * 5 + ["b"], ["b b b"] * 7, ["a b", "b"] * 4, ["a a a a a a"]]
    expected = [model.embed(group) for group in texts]
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(50):
            if not np.array_equal(model.embed(texts[number]), expected[number]):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


class Patience:
    """Lets a computation that states its time take some seconds, and counts its checkpoints."""

    def __init__(self, longest_seconds: float) -> None:
        self.longest_seconds = longest_seconds
        self.checkpoints = 0

    def checkpoint(self, *, idle: bool) -> None:
        assert not idle
        self.checkpoints += 1


@pytest.mark.parametrize(
    ("device", "shapes"),
    [
        ("cpu", [(1, 3), (1, 5)]),
        ("OpenVINO CPU", [(1, 3), (1, 5)]),
        ("cuda", [(2, 6), (2, 6)]),
    ],
)
def test_short_texts_are_enough_to_measure_a_processor(
    tokenizer_file: Path,
    device: str,
    shapes: list[tuple[int, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mesh.compile.text_model._FIRST_TOKENS", 3)
    monkeypatch.setattr("mesh.compile.text_model.MEASURED_TOKENS", 5)
    model, program = make_model(tokenizer_file)
    program.runs_on = (device,)
    model.calibrate()
    assert program.shapes == shapes
    assert model.seconds_per_token > 0


def test_a_calibrated_model_refuses_what_takes_too_long_before_it_runs(
    tokenizer_file: Path,
) -> None:
    model, program = make_model(tokenizer_file)
    model.calibrate()
    program.shapes.clear()
    model.seconds_per_token = 1.0
    texts = ["a b", "b a", "a b"]
    tokens = 3 * 4 + PASS_TOKENS
    with watched(Patience(tokens)):
        assert len(model.embed(texts)) == 3
    assert program.shapes == [(3, 4)]
    program.shapes.clear()
    with watched(Patience(tokens - 1)), pytest.raises(UsageError, match="28 tokens, more than"):
        model.embed(texts)
    assert program.shapes == []


def test_texts_that_take_far_too_long_are_not_read_on(tokenizer_file: Path) -> None:
    model, program = make_model(tokenizer_file, overflow="window")
    model.seconds_per_token = 1.0

    def texts() -> Iterator[str]:
        yield from ["a b a b"] * 10
        raise AssertionError("read on")

    found = model._tokenizer.windows
    model._tokenizer.windows = lambda _: (  # type: ignore[method-assign, assignment]
        window for text in texts() for window in found([text])
    )
    with watched(Patience(10)), pytest.raises(UsageError, match="42 tokens or more"):
        model.embed(["a"])
    assert program.shapes == []


def test_each_pass_ends_at_a_checkpoint(tokenizer_file: Path) -> None:
    model, program = make_model(tokenizer_file)
    patience = Patience(0)
    with watched(patience):
        model.embed(["a b a b"] * 6)
    assert len(program.shapes) == 3
    # One more before the texts are tokenized.
    assert patience.checkpoints == 4
