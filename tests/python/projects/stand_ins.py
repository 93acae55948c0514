"""All projects' served models, with stand-ins that know words in place of trained networks."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import regex
from numpy.typing import NDArray
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from mesh.compile.artifact import CompiledModel
from mesh.compile.text_model import TokenLogits
from mesh.core.project import find_projects
from mesh.core.settings import load_settings
from mesh.nlp.language import write_languages
from mesh.serve.model import ArtifactModel, EncoderModel, ServedModel
from mesh.serve.program import model_class

Floats = NDArray[np.float32]

TAGS = ("O", "B-NAME", "I-NAME")
LABELS = ("negative", "neutral", "positive")
_DIMENSION = 256
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_SPACELESS = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}]")
# Between the words of a name for a network that errs where it can: signs that are seldom part of
# names, but no punctuation of sentences.
_WITHIN = regex.compile(r"[\s@#&'\u2019\-/]{0,3}")


class StandIn:
    """Embeds, tags and classifies texts by their words; unlike a network, it knows one form of each.

    Args:
        names: what it tags, with capital letters where they have them.
        good: words of positive texts.
        bad: words of negative texts.
        labels: those of the network that it stands for.
    """

    def __init__(
        self,
        names: Collection[str] = (),
        good: Collection[str] = (),
        bad: Collection[str] = (),
        labels: Sequence[str] = (),
    ) -> None:
        self.spec = SimpleNamespace(labels=tuple(labels), dimension=_DIMENSION)
        self._parts = _parts(names)
        self._good = regex.compile(r"\L<words>", words=list(good)) if good else None
        self._bad = regex.compile(r"\L<words>", words=list(bad)) if bad else None

    def embed(self, texts: Sequence[str]) -> Floats:
        """The counts of a text's words, beside a constant, so that no two texts are at 90 degrees.

        Returns:
            float32 (texts, dimension), each of length 1.
        """
        rows = np.zeros((len(texts), _DIMENSION), np.float32)
        rows[:, 0] = 2
        for row, text in zip(rows, texts, strict=True):
            for word, count in Counter(_WORD.findall(text.casefold())).items():
                row[_place(word)] += count
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    def overflow_tokens(self, texts: Sequence[str]) -> list[int]:
        """It reads all of a text."""
        return [0] * len(texts)

    def unknown_fractions(self, texts: Sequence[str]) -> list[float]:
        """It reads letters and digits of all scripts, and nothing else."""
        return [0.0 if _WORD.search(text) else 1.0 for text in texts]

    def token_logits(self, texts: Sequence[str]) -> list[TokenLogits]:
        """Tokens for the words of names alone; neighbours are one name."""
        return [self._tagged(text) for text in texts]

    def logits(self, texts: Sequence[str]) -> Floats:
        """By the number of good and bad words, float32 (texts, labels)."""
        rows = np.zeros((len(texts), len(LABELS)), np.float32)
        for row, text in zip(rows, texts, strict=True):
            lowered = text.lower()
            row[:] = (_count(self._bad, lowered), 0.5, _count(self._good, lowered))
        return rows

    def _tagged(self, text: str) -> TokenLogits:
        found = list(self._parts.finditer(text)) if self._parts else []
        offsets = [match.span() for match in found]
        rows = np.zeros((len(found), len(TAGS)), np.float32)
        last = None
        for row, (start, end) in zip(rows, offsets, strict=True):
            joined = last is not None and _WITHIN.fullmatch(text, last, start)
            row[2 if joined else 1] = 4
            last = end
        return TokenLogits(np.array(offsets, np.int64).reshape(-1, 2), rows)


def _parts(names: Collection[str]) -> Any:
    """The words of names: characters in scripts without spaces, whole words in others."""
    if not names:
        return None
    words = {word for name in names for word in regex.split(r"[\s\-]", name)}
    spaceless = {word for word in words if _SPACELESS.search(word)}
    within = "|".join(f"{_around(word)}" for word in sorted(spaceless, key=len, reverse=True))
    whole = r"(?<![\p{L}\p{M}\p{N}])\L<words>(?![\p{L}\p{M}\p{N}])"
    pattern = f"{within}|{whole}" if within else whole
    return regex.compile(pattern, words=sorted(words - spaceless))


def _around(word: str) -> str:
    """A pattern for each character of a word where the others stand around it."""
    places = range(len(word))
    return "|".join(
        f"(?<={regex.escape(word[:at])}){regex.escape(word[at])}(?={regex.escape(word[at + 1 :])})"
        for at in places
    )


def _count(pattern: Any, text: str) -> int:
    return len(pattern.findall(text)) if pattern else 0


@cache
def _place(word: str) -> int:
    digest = hashlib.blake2b(word.encode(errors="surrogatepass"), digest_size=4).digest()
    return 1 + int.from_bytes(digest, "big") % (_DIMENSION - 1)


def served_models(
    folder: Path,
    languages: Collection[str],
    names: Collection[str] = (),
    good: Collection[str] = (),
    bad: Collection[str] = (),
) -> dict[str, ServedModel]:
    """The served models of all projects by name, loaded as a server does, but without networks.

    Args:
        folder: an empty one.
        languages: those that the models know.
        names: see `StandIn`, as for `good` and `bad`.
    """
    write_languages(folder, languages)
    words = folder / "stop_words/english.json"
    words.parent.mkdir()
    words.write_text(json.dumps(sorted(ENGLISH_STOP_WORDS)), encoding="utf-8")
    labels = {"ner": TAGS, "sentiment": LABELS}
    models: dict[str, ServedModel] = {}
    for project in find_projects():
        model = model_class(project)
        network = StandIn(names, good, bad, labels.get(project.name, ()))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(CompiledModel, "load", lambda *_, network=network: network)
            patch.setattr(EncoderModel, "load_encoder", lambda *_, network=network: network)
            served = model(folder, *load_settings(model.settings))
            if isinstance(served, ArtifactModel):
                served.load_compiled(folder)
            else:
                served.load()
        models[project.name] = served
    return models
