"""Text to windows of token ids; every dropped token is counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import tokenizers

from mesh.compile.spec import CompileSpec, Task
from mesh.core.errors import MeshError
from mesh.core.passes import checkpoint

TOKENIZER_FILE = "tokenizer.json"

CHARACTERS_AT_ONCE = 32_768
"""Of short texts that are tokenized in one pass."""


def open_tokenizer(path: Path, task: Task) -> tokenizers.Tokenizer:
    """The tokenizer in a file, without padding.

    Classifiers, in training as in serving, get text in Unicode's compatible form (NFKC), so that
    they know full-width and other styled letters, and an emoji next to a word doesn't make that
    unknown. Embeddings keep to the text as it is, as other users of the same base model expect.
    Offsets are always those of the text itself.

    Raises:
        MeshError: the file is missing or isn't a tokenizer.
    """
    if not path.is_file():
        raise MeshError(f"The tokenizer {path} does not exist.")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises nothing more specific
        raise MeshError(f"{path} is not a tokenizer of the tokenizers library: {error}.") from error
    tokenizer.no_padding()
    if task != "sentence-embedding":
        _read_compatible_form(tokenizer)
    return tokenizer


def _read_compatible_form(tokenizer: tokenizers.Tokenizer) -> None:
    steps = [tokenizers.normalizers.NFKC(), *filter(None, [tokenizer.normalizer])]
    tokenizer.normalizer = tokenizers.normalizers.Sequence(steps)
    if isinstance(tokenizer.model, tokenizers.models.WordPiece) and tokenizer.pre_tokenizer:
        symbols = tokenizers.Regex(r"[\p{So}\p{Sk}]")
        part = tokenizers.pre_tokenizers.Split(symbols, "isolated")
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
            [part, tokenizer.pre_tokenizer]
        )


@dataclass(frozen=True)
class Window:
    """A part of a text for one pass through the network.

    Args:
        text: index of the text it belongs to.
        ids: token ids, special tokens included.
        offsets: of each token, the first character and the one after the last, in the text.
        content: positions of the tokens of text, ascending; the others are special tokens.
    """

    text: int
    ids: list[int]
    offsets: list[tuple[int, int]]
    content: list[int]


class TextTokenizer:
    """The tokenizer of a compiled model; safe to use from several threads.

    The spec's padding and truncation settings apply, not those of `tokenizer.json`.

    Raises:
        MeshError: the file is missing or isn't a tokenizer.
    """

    def __init__(self, path: Path, spec: CompileSpec) -> None:
        self._tokenizer = open_tokenizer(path, spec.task)
        self._tokenizer.enable_truncation(spec.max_length, stride=spec.stride)
        self._windowed = spec.overflow == "window"

    def windows(self, texts: Sequence[str]) -> Iterator[Window]:
        """The windows for the network, in the order of the texts; at least one for each."""
        for index, encoding in enumerate(self._encode(texts)):
            yield _window(index, encoding)
            if self._windowed:
                yield from (_window(index, rest) for rest in encoding.overflowing)

    def dropped_tokens(self, texts: Sequence[str]) -> list[int]:
        """For each text the number of tokens that are in none of its windows."""
        if self._windowed:
            return [0] * len(texts)
        return [
            sum(rest.special_tokens_mask.count(0) for rest in encoding.overflowing)
            for encoding in self._encode(texts)
        ]

    def unknown_fractions(self, texts: Sequence[str]) -> list[float]:
        """For each text the fraction of its tokens with letters or digits that are unknown.

        A text without letters and digits has 1.0 if any token is unknown, such as an emoji, and
        0.0 otherwise.
        """
        unknown = self._tokenizer.token_to_id(
            getattr(self._tokenizer.model, "unk_token", None) or ""
        )
        return [
            _unknown_fraction(text, encoding, unknown)
            for text, encoding in zip(texts, self._encode(texts), strict=True)
        ]

    def _encode(self, texts: Sequence[str]) -> Iterator[tokenizers.Encoding]:
        for some in _groups(texts):
            checkpoint()
            # Half of a surrogate pair, as some clients send it, has no UTF-8 form.
            clean = [text.encode("utf-8", "replace").decode() for text in some]
            yield from self._tokenizer.encode_batch(clean)


def _groups(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in groups of `CHARACTERS_AT_ONCE`; a longer text is a group of its own."""
    first = characters = 0
    for number, text in enumerate(texts):
        if number > first and characters + len(text) > CHARACTERS_AT_ONCE:
            yield texts[first:number]
            first, characters = number, 0
        characters += len(text)
    if first < len(texts):
        yield texts[first:]


def _window(text: int, encoding: tokenizers.Encoding) -> Window:
    content = [
        position for position, special in enumerate(encoding.special_tokens_mask) if not special
    ]
    return Window(text, encoding.ids, encoding.offsets, content)


def _unknown_fraction(text: str, encoding: tokenizers.Encoding, unknown: int | None) -> float:
    marks: list[bool] = []
    words: list[bool] = []
    for part in (encoding, *encoding.overflowing):
        for token, (start, end) in zip(part.ids, part.offsets, strict=True):
            if start < end:
                kind = words if any(map(str.isalnum, text[start:end])) else marks
                kind.append(token == unknown)
    return sum(words) / len(words) if words else float(any(marks))
