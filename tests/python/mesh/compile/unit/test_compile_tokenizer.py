import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.compile.spec import CompileSpec
from mesh.compile.tokenizer import TextTokenizer
from mesh.core.errors import MeshError

CLS, SEP = 2, 3
CLASSIFIER: dict[str, Any] = {
    "task": "text-classification",
    "pooling": None,
    "labels": ("one", "two"),
    "dimension": 2,
    "overflow": "window",
    "stride": 2,
}


def make_tokenizer(path: Path, **changes: Any) -> TextTokenizer:
    fields: dict[str, Any] = {
        "max_length": 8,
        "length_buckets": (8,),
        "pooling": "mean",
        "dimension": 4,
    }
    spec = CompileSpec.model_validate(
        {"task": "sentence-embedding", "backend": "onnx", **fields, **changes}
    )
    return TextTokenizer(path, spec)


def test_padding_and_truncation_of_the_file_are_ignored(tokenizer_file: Path) -> None:
    [window] = make_tokenizer(tokenizer_file).windows(["abcdef"])
    assert len(window.ids) == 8
    assert window.content == [1, 2, 3, 4, 5, 6]
    [short] = make_tokenizer(tokenizer_file).windows(["a"])
    assert (short.ids[0], short.ids[-1], len(short.ids)) == (CLS, SEP, 3)


def test_truncated_tokens_are_counted(tokenizer_file: Path) -> None:
    tokenizer = make_tokenizer(tokenizer_file)
    texts = ["", "abcdef", "abcdefg", "a" * 50]
    assert tokenizer.dropped_tokens(texts) == [0, 0, 1, 44]
    assert [window.text for window in tokenizer.windows(texts)] == [0, 1, 2, 3]


def test_windows_drop_nothing(tokenizer_file: Path) -> None:
    tokenizer = make_tokenizer(tokenizer_file, overflow="window")
    assert tokenizer.dropped_tokens(["a" * 50]) == [0]
    windows = list(tokenizer.windows(["x", "a" * 13]))
    assert [(window.text, len(window.content)) for window in windows] == [
        (0, 1),
        (1, 6),
        (1, 6),
        (1, 1),
    ]


# Without control characters and combining marks, which the normalizer removes.
texts = st.text(st.characters(categories=["L", "N", "P", "S", "Z"]), max_size=80)


@given(st.lists(texts, max_size=4), st.integers(0, 4))
def test_windows_cover_every_visible_character_with_true_offsets(
    tokenizer_file: Path, inputs: list[str], stride: int
) -> None:
    tokenizer = make_tokenizer(tokenizer_file, overflow="window", stride=stride)
    windows = list(tokenizer.windows(inputs))
    assert sorted({window.text for window in windows}) == list(range(len(inputs)))
    for number, text in enumerate(inputs):
        covered: set[int] = set()
        for window in windows:
            if window.text == number:
                assert len(window.ids) == len(window.offsets) <= 8
                covered.update(*(range(*window.offsets[position]) for position in window.content))
        assert covered <= set(range(len(text)))
        assert {index for index, character in enumerate(text) if not character.isspace()} <= covered


@pytest.mark.parametrize("stride", [0, 1, 3, 4])
def test_neighbouring_windows_share_exactly_the_stride(tokenizer_file: Path, stride: int) -> None:
    tokenizer = make_tokenizer(tokenizer_file, overflow="window", stride=stride)
    windows = list(tokenizer.windows(["abcdefghijklmnopqrstuvwxyz"]))
    spans = [[window.offsets[position] for position in window.content] for window in windows]
    for before, after in itertools.pairwise(spans):
        assert [span for span in before if span in after] == before[len(before) - stride :]


def test_half_a_surrogate_pair_is_a_character_like_any_other(tokenizer_file: Path) -> None:
    [window] = make_tokenizer(tokenizer_file).windows(["a \ud800 b"])
    assert [window.offsets[position] for position in window.content] == [(0, 1), (2, 3), (4, 5)]


@pytest.mark.parametrize(
    ("text", "known"),
    [("\uff41\uff42", "ab"), ("\u24d0 b", "a b"), ("\U0001d4ea", "a"), ("\u1e03", "b\u0307")],
)
def test_classifiers_read_styled_letters_at_their_places(
    tokenizer_file: Path, text: str, known: str
) -> None:
    tokenizer = make_tokenizer(tokenizer_file, **CLASSIFIER)
    styled, plain = tokenizer.windows([text, known])
    assert styled.ids == plain.ids
    spans = [styled.offsets[position] for position in styled.content]
    assert "".join(text[start:end] for start, end in spans) == "".join(text.split())
    [embedded] = make_tokenizer(tokenizer_file).windows([text])
    assert (embedded.ids == plain.ids) == (known == "b\u0307")


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("", 0.0),
        ("...", 0.0),
        ("a b c", 0.0),
        ("\U0001f600 \U0001f600!", 1.0),
        ("ab\U0001f600", 0.0),
        ("\u0434 \u0434 a b", 0.5),
        ("\uff41", 0.0),
        ("\u0434 " * 50, 1.0),
    ],
)
def test_fraction_of_unknown_words(tokenizer_file: Path, text: str, unknown: float) -> None:
    tokenizer = make_tokenizer(tokenizer_file, **CLASSIFIER)
    assert tokenizer.unknown_fractions(["a", text]) == [0.0, unknown]


def test_missing_and_malformed_tokenizers_are_named(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="does not exist"):
        make_tokenizer(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0"}')
    with pytest.raises(MeshError, match="is not a tokenizer"):
        make_tokenizer(tmp_path / "tokenizer.json")


@pytest.mark.parametrize("at_once", [1, 7, 40, 10_000])
def test_texts_are_tokenized_in_groups_with_the_same_result(
    tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    texts = ["", "ab", "a" * 50, "b a", "", "c"]
    tokenizer = make_tokenizer(tokenizer_file, overflow="window")
    expected = list(tokenizer.windows(texts))
    monkeypatch.setattr("mesh.compile.tokenizer.CHARACTERS_AT_ONCE", at_once)
    assert list(tokenizer.windows(texts)) == expected
    assert list(tokenizer.windows([])) == []
