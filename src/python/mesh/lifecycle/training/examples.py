"""Turns rows of a data set into a network's inputs."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import tokenizers
import torch

from mesh.compile.tokenizer import TOKENIZER_FILE, open_tokenizer
from mesh.data.dataset import AnnotatedText, ClassifiedText, TextRow
from mesh.lifecycle.recipe import Augment
from mesh.lifecycle.training.scores import IGNORED
from mesh.nlp.tagger_text import tagger_text
from mesh.nlp.tagging import LabelledSpan, first_tokens, tag_words
from mesh.nlp.words import split_words


class Encoder(Protocol):
    """Makes one row's inputs."""

    def __call__(self, row: Any) -> dict[str, Any]:
        """`input_ids` and `labels`: one label for a text, or one for each token."""


class ClassifiedTextEncoder:
    """A text and its class."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, labels: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._numbers = {label: number for number, label in enumerate(labels)}

    def __call__(self, row: ClassifiedText) -> dict[str, Any]:
        encoding = self._tokenizer.encode(row.text)
        return {"input_ids": encoding.ids, "labels": self._numbers[row.label]}


class AnnotatedTextEncoder:
    """A text, with the tag of each word at its first token; other tokens are ignored."""

    def __init__(self, tokenizer: tokenizers.Tokenizer, tags: Sequence[str]) -> None:
        self._tokenizer = tokenizer
        self._numbers = {tag: number for number, tag in enumerate(tags)}

    def __call__(self, row: AnnotatedText) -> dict[str, Any]:
        read = tagger_text(row.text)
        encoding = self._tokenizer.encode(read.text)
        words = split_words(read.text)
        labels = [IGNORED] * len(encoding.ids)
        tags = tag_words(words, spans_of(row), read.addresses)
        for tag, token in zip(tags, first_tokens(words, encoding.offsets), strict=True):
            if token is not None:
                labels[token] = self._numbers[tag]
        return {"input_ids": encoding.ids, "labels": labels}


class Examples(torch.utils.data.Dataset):  # type: ignore[misc]
    """Encoded rows; the same epoch, index and seed give the same variation of a row.

    Args:
        augment: varies a row, differently in each epoch; None for evaluation rows.
    """

    def __init__(
        self,
        rows: Sequence[TextRow],
        encode: Encoder,
        augment: Augment | None = None,
        seed: int = 0,
    ) -> None:
        self._rows = rows
        self._encode = encode
        self._augment = augment
        self._seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, number: int) -> dict[str, Any]:
        """One row's inputs; those of `~number` are a filler: the same row, without its labels."""
        if number < 0:
            example = self[~number]
            labels = example["labels"]
            ignored = IGNORED if isinstance(labels, int) else [IGNORED] * len(labels)
            return {**example, "labels": ignored}
        row = self._rows[number]
        if self._augment:
            chance = random.Random(f"{self._seed} {self.epoch} {number}")  # noqa: S311 - no secret
            row = self._augment(row, chance)
        return self._encode(row)


def collate(examples: Sequence[dict[str, Any]], pad_token_id: int) -> dict[str, torch.Tensor]:
    """One batch of int64 tensors.

    `input_ids` and `attention_mask` are (rows, length), `labels` is (rows[, length]).
    """
    length = max(len(example["input_ids"]) for example in examples)

    def padded(values: Sequence[int], filler: int) -> list[int]:
        return [*values, *[filler] * (length - len(values))]

    labels = [
        (
            example["labels"]
            if isinstance(example["labels"], int)
            else padded(example["labels"], IGNORED)
        )
        for example in examples
    ]
    return {
        "input_ids": torch.tensor([padded(e["input_ids"], pad_token_id) for e in examples]),
        "attention_mask": torch.tensor([padded([1] * len(e["input_ids"]), 0) for e in examples]),
        "labels": torch.tensor(labels),
    }


def truncating_tokenizer(folder: Path, max_length: int) -> tokenizers.Tokenizer:
    """A classifier's tokenizer; it truncates texts to `max_length` tokens."""
    tokenizer = open_tokenizer(folder / TOKENIZER_FILE, "text-classification")
    tokenizer.enable_truncation(max_length)
    return tokenizer


def spans_of(row: AnnotatedText) -> list[LabelledSpan]:
    """The entities of a row."""
    return [LabelledSpan(entity.start, entity.end, entity.label) for entity in row.entities]
