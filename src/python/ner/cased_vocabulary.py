"""Capital letters for a base model that has none: names are hard to find without them.

To a vocabulary of lower-case words, each word is added a second time with a capital letter, and
short pieces of words in all capitals. The embedding of a new word is that of the old one plus a
direction: one for all capitalised words, another for all words in capitals. So the network learns
from few examples what a capital letter means, also for words that it hasn't seen.
"""

from pathlib import Path

from mesh.compile.source import transformer_folder
from mesh.compile.tokenizer import TOKENIZER_FILE
from mesh.core.files import read_json, write_json_atomic

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
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    first = len(vocabulary)
    vocabulary.update({word: first + number for number, (word, _, _) in enumerate(new)})
    write_json_atomic(source / TOKENIZER_FILE, tokenizer)
    (source / "vocab.txt").unlink(missing_ok=True)
    _extend_embeddings(source, [(old, capitals) for _, old, capitals in new])


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


def _extend_embeddings(folder: Path, new: list[tuple[int, bool]]) -> None:
    import torch
    import transformers

    from mesh.compile.torch_model import quiet

    with quiet():
        model = transformers.AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
        old = model.get_input_embeddings().weight.detach().clone()
        # As long as the usual distance of an embedding from the mean.
        directions = old.std(dim=0) * torch.randn(
            2, old.shape[1], generator=torch.Generator().manual_seed(_SEED)
        )
        model.resize_token_embeddings(len(old) + len(new), mean_resizing=False)
        rows = (
            old[[number for number, _ in new]] + directions[[int(capitals) for _, capitals in new]]
        )
        with torch.no_grad():
            model.get_input_embeddings().weight[len(old) :] = rows
        model.save_pretrained(folder)
