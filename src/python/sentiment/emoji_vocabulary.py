"""Emoji for a base model that knows none: each is a word, embedded as the mean of its name's words.

So the network knows from the start that a broken heart is something else than a birthday cake, and
learns from few examples what the emoji that are much alike say.
"""

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.compile.source import transformer_folder
from mesh.compile.tokenizer import TOKENIZER_FILE, open_tokenizer
from mesh.core.files import read_json
from mesh.lifecycle.training.vocabulary import add_words

if TYPE_CHECKING:
    # torch takes seconds to import.
    import torch

_BLOCKS = ((0x2190, 0x2BFF), (0x1F000, 0x1FAFF))
"""First and last characters of Unicode's symbols and pictographs."""
_SYMBOLS = frozenset({"So", "Sk"})
_SAY_LITTLE = frozenset("and black emoji heavy of sign symbol white with".split())


def add_emoji(folder: Path) -> None:
    """Add emoji to the model in a folder, unless its vocabulary has them or isn't one of words."""
    source = transformer_folder(folder)
    tokenizer = read_json(source / TOKENIZER_FILE)
    if tokenizer["model"]["type"] != "WordPiece":
        return
    vocabulary = tokenizer["model"]["vocab"]
    names = {character: name for character, name in emoji().items() if character not in vocabulary}
    if names:
        reader = open_tokenizer(source / TOKENIZER_FILE, "text-classification")
        read = reader.encode_batch(list(names.values()), add_special_tokens=False)
        numbers = [name.ids for name in read]
        add_words(source, tokenizer, list(names), lambda old: _embed(old, numbers))


def emoji() -> dict[str, str]:
    """Each emoji and other pictograph, with the words of its name that tell it from others."""
    found = {}
    for first, last in _BLOCKS:
        for character in map(chr, range(first, last + 1)):
            if unicodedata.category(character) in _SYMBOLS:
                words = unicodedata.name(character).lower().split()
                found[character] = " ".join(w for w in words if w not in _SAY_LITTLE) or words[-1]
    return found


def _embed(embeddings: "torch.Tensor", named: list[list[int]]) -> "torch.Tensor":
    """The mean embedding of each name, as far from the mean of all as words are."""
    import torch

    center = embeddings.mean(dim=0)
    usual = (embeddings - center).norm(dim=1).mean()
    means = torch.stack([embeddings[numbers].mean(dim=0) for numbers in named]) - center
    return center + means * usual / means.norm(dim=1, keepdim=True)
