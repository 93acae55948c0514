"""Text to windows of token ids; every dropped token is counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tokenizers

from mesh.compile.spec import CompileSpec
from mesh.core.errors import MeshError

TOKENIZER_FILE = "tokenizer.json"


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
        if not path.is_file():
            raise MeshError(f"The tokenizer {path} does not exist.")
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the package raises nothing more specific
            raise MeshError(
                f"{path} is not a tokenizer of the tokenizers library: {error}."
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(spec.max_length, stride=spec.stride)
        self._windowed = spec.overflow == "window"

    def windows(self, texts: Sequence[str]) -> list[Window]:
        """The windows for the network, in the order of the texts; at least one for each."""
        windows = []
        for index, encoding in enumerate(self._encode(texts)):
            windows.append(_window(index, encoding))
            if self._windowed:
                windows.extend(_window(index, rest) for rest in encoding.overflowing)
        return windows

    def dropped_tokens(self, texts: Sequence[str]) -> list[int]:
        """For each text the number of tokens that are in none of its windows."""
        if self._windowed:
            return [0] * len(texts)
        return [
            sum(rest.special_tokens_mask.count(0) for rest in encoding.overflowing)
            for encoding in self._encode(texts)
        ]

    def _encode(self, texts: Sequence[str]) -> list[tokenizers.Encoding]:
        # Half of a surrogate pair, as some clients send it, has no UTF-8 form.
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        encodings: list[tokenizers.Encoding] = self._tokenizer.encode_batch(clean)
        return encodings


def _window(text: int, encoding: tokenizers.Encoding) -> Window:
    content = [
        position for position, special in enumerate(encoding.special_tokens_mask) if not special
    ]
    return Window(text, encoding.ids, encoding.offsets, content)
