"""Summaries by sumy; its own tokenizer would download a model of NLTK."""

import re
from collections.abc import Callable
from typing import Any

from sumy.nlp.stemmers import Stemmer
from sumy.parsers.plaintext import PlaintextParser
from sumy.summarizers.lex_rank import LexRankSummarizer
from sumy.summarizers.text_rank import TextRankSummarizer
from sumy.utils import get_stop_words

_END = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"\w+(?:['-]\w+)*")


class Tokenizer:
    """Sentences end with a full stop; words are letters and digits."""

    def to_sentences(self, paragraph: str) -> tuple[str, ...]:
        """The sentences of a paragraph."""
        return tuple(_END.split(paragraph.strip()))

    def to_words(self, sentence: str) -> tuple[str, ...]:
        """The words of a sentence."""
        return tuple(_WORD.findall(sentence))


def load(setup: dict[str, Any]) -> Callable[[list[str]], list[str]]:
    """Summaries of `sentences` sentences by the `method` text_rank or lex_rank."""
    method = {"text_rank": TextRankSummarizer, "lex_rank": LexRankSummarizer}[setup["method"]]
    summarize = method(Stemmer("english"))
    summarize.stop_words = get_stop_words("english")

    def summary(text: str) -> str:
        document = PlaintextParser.from_string(text, Tokenizer()).document
        return " ".join(map(str, summarize(document, setup["sentences"])))

    return lambda texts: [summary(text) for text in texts]
