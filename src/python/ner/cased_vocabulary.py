"""Capital letters for a base model that has none: names are hard to find without them.

To a vocabulary of lower-case words, each word is added a second time with a capital letter, and
short pieces of words in all capitals. The embedding of a new word is that of the old one plus a
direction: one for all capitalised words, another for all words in capitals. So the network learns
from few examples what a capital letter means, also for words that it hasn't seen.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from mesh.compile.source import transformer_folder
from mesh.compile.tokenizer import TOKENIZER_FILE
from mesh.core.files import read_json, write_json_atomic
from mesh.lifecycle.training.vocabulary import add_words

if TYPE_CHECKING:
    # torch takes seconds to import.
    import torch

TOKENIZER_SETTINGS = "tokenizer_config.json"

LONGEST_CAPITALS = 5
"""Most letters of a piece in capitals; longer words in capitals are cut into pieces."""
_CONTINUES = "##"
_SEED = 0


def add_cased_words(folder: Path) -> None:
    """Add cased words to the model in a folder, unless it distinguishes capital letters already."""
    source = transformer_folder(folder)
    tokenizer = read_json(source / TOKENIZER_FILE)
    normalizer = tokenizer["normalizer"] or {}
    if normalizer.get("type") != "BertNormalizer" or not normalizer["lowercase"]:
        return
    new = cased_words(tokenizer["model"]["vocab"])
    normalizer["lowercase"] = False
    # By default the normalizer keeps accents if it keeps capital letters; the vocabulary has none.
    if normalizer["strip_accents"] is None:
        normalizer["strip_accents"] = True
    # Transformers makes its own tokenizer of these.
    settings = source / TOKENIZER_SETTINGS
    described = read_json(settings) if settings.is_file() else {}
    cased = {"do_lower_case": False, "strip_accents": normalizer["strip_accents"]}
    write_json_atomic(settings, {**described, **cased})
    numbers, capitals = zip(*((old, capitals) for _, old, capitals in new), strict=True)
    add_words(
        source,
        tokenizer,
        [word for word, _, _ in new],
        lambda old: old[list(numbers)] + _directions(old)[[int(each) for each in capitals]],
    )


def cased_words(vocabulary: dict[str, int]) -> list[tuple[str, int, bool]]:
    """The new words, each with the number of its old word and whether it is all in capitals."""
    new: dict[str, tuple[int, bool]] = {}
    for word, number in vocabulary.items():
        continues = word.startswith(_CONTINUES)
        letters = word.removeprefix(_CONTINUES)
        if not letters.isalpha():
            continue
        if not continues:
            new.setdefault(letters.capitalize(), (number, False))
        if len(letters) <= LONGEST_CAPITALS and (continues or len(letters) > 1):
            new.setdefault(f"{_CONTINUES * continues}{letters.upper()}", (number, True))
    return [(word, *of) for word, of in new.items() if word not in vocabulary]


def _directions(embeddings: "torch.Tensor") -> "torch.Tensor":
    """Two rows, as long as the usual distance of an embedding from the mean."""
    import torch

    chance = torch.Generator().manual_seed(_SEED)
    return embeddings.std(dim=0) * torch.randn(2, embeddings.shape[1], generator=chance)
