"""New words in the vocabulary of a base model, before it is trained."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh.compile.tokenizer import TOKENIZER_FILE
from mesh.core.files import write_json_atomic

if TYPE_CHECKING:
    # torch takes seconds to import.
    import torch


def add_words(
    folder: Path,
    tokenizer: dict[str, Any],
    words: Sequence[str],
    embed: Callable[["torch.Tensor"], "torch.Tensor"],
) -> None:
    """Add words to the model in a folder.

    Args:
        folder: of the weights.
        tokenizer: the content of its `tokenizer.json`, which is written with the words.
        words: not in its vocabulary yet; their numbers follow the last one.
        embed: makes their embeddings, float32 (words, dimension), from the old ones.
    """
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    first = len(vocabulary)
    vocabulary.update({word: first + number for number, word in enumerate(words)})
    write_json_atomic(folder / TOKENIZER_FILE, tokenizer)
    (folder / "vocab.txt").unlink(missing_ok=True)
    _extend_embeddings(folder, len(words), embed)


def _extend_embeddings(
    folder: Path, count: int, embed: Callable[["torch.Tensor"], "torch.Tensor"]
) -> None:
    import torch
    import transformers

    from mesh.compile.torch_model import quiet

    with quiet():
        model = transformers.AutoModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
        old = model.get_input_embeddings().weight.detach().clone()
        model.resize_token_embeddings(len(old) + count, mean_resizing=False)
        with torch.no_grad():
            model.get_input_embeddings().weight[len(old) :] = embed(old)
        model.save_pretrained(folder)
