"""What a summary is made of: sentences, or lines where a document isn't written in sentences."""

import re
from typing import NamedTuple

import regex

from mesh.nlp.blocks import BlockKind
from mesh.nlp.document import Document
from summarization.length import count_words
from summarization.passages import Passage, readable_blocks, split_passages
from summarization.schema import Configuration, Language

SPACELESS_LANGUAGES = (Language.CHINESE, Language.JAPANESE)
STRETCH_WORDS = 30
"""The longest piece of text without full stops."""

_PARTS = (BlockKind.HEADING, BlockKind.ITEM, BlockKind.CELL)
_LABEL_WORDS = 5
_LEAST_SHARE = 0.1

# A full stop, with closing marks or references behind it. Three dots are none: "Read more...".
_STOP = regex.compile(r"(?<!\.)\p{Sentence_Terminal}(?:[\s\"'\p{Pi}\p{Pf}\p{Pe}]|\[\d{1,3}\])*$")
_STOP_CHARACTERS = 40
_PLAIN_STOPS = frozenset(".!?")
# A word with the space behind it; in Chinese and Japanese a character.
_UNIT = re.compile(r"(?:[^\s\u2e80-\u9fff\uff00-\uffef]+|\S)\s*")
_PAUSE = regex.compile(r".*[\p{Terminal_Punctuation}\p{Pd}…]\s*$", regex.DOTALL)
# The name of a speaker, a time, or a remark in brackets.
_SPEAKER = re.compile(r"[\[(<]|\d{1,2}:\d\d|[^\W\d_a-z][^\s:]*:\s*$")


class Pieces(NamedTuple):
    """What a summary may be made of, in order.

    Attributes:
        lengths: the number of words of each text.
        separator: what stands between two of them.
    """

    texts: list[str]
    lengths: list[int]
    separator: str


def read_pieces(document: Document, configuration: Configuration) -> Pieces:
    """The sentences of a document; all of its lines, if it isn't written in sentences.

    It isn't if less than a tenth of the words in its paragraphs is in sentences; labels of a few
    words don't count. Lines without a full stop are cut into pieces of at most `STRETCH_WORDS`.
    """
    language = configuration.language
    passages = split_passages(document, language, readable_blocks(document))
    counted = [(passage, count_words(passage.text)) for passage in passages]
    sentences = [(passage, count) for passage, count in counted if is_sentence(passage, count)]
    written = sum(count for _, count in sentences)
    running = sum(
        count
        for passage, count in counted
        if passage.kind not in _PARTS and (count > _LABEL_WORDS or _has_stop(passage.text))
    )
    if sentences and written >= _LEAST_SHARE * running:
        separator = "" if language in SPACELESS_LANGUAGES else " "
        texts = [passage.text for passage, _ in sentences]
        return Pieces(texts, [count for _, count in sentences], separator)
    longest = min(STRETCH_WORDS, configuration.desired_length)
    texts = [
        piece
        for passage, count in counted
        for piece in (
            [passage.text]
            if count <= longest or _has_stop(passage.text)
            else cut(passage.text, longest)
        )
    ]
    return Pieces(texts, [count_words(text) for text in texts], "\n")


def is_sentence(passage: Passage, count: int) -> bool:
    """Whether a passage of `count` words is a sentence of running text, by stop and length.

    "Acme Inc." on a line of its own is none, nor is "approx. 3 kg." in a table.
    """
    if passage.kind is BlockKind.HEADING or not _has_stop(passage.text):
        return False
    if passage.kind in _PARTS:
        return count > _LABEL_WORDS
    return count > 2 or not passage.alone


def _has_stop(text: str) -> bool:
    # Most sentences end so.
    if text[-1:] in _PLAIN_STOPS and text[-2:-1] != ".":
        return True
    return bool(_STOP.search(text[-_STOP_CHARACTERS:]))


def cut(text: str, longest: int) -> list[str]:
    """Cut a text into pieces of at most `longest` words, where a speaker pauses if that is near.

    A longer word is a piece of its own.
    """
    pieces: list[str] = []
    start = used = 0
    pause, used_before_pause = 0, 0
    for unit in _UNIT.finditer(text):
        size = count_words(unit[0])
        while used and used + size > longest:
            if 2 * used_before_pause < longest:
                pause, used_before_pause = unit.start(), used
            pieces.append(text[start:pause].strip())
            start, used = pause, used - used_before_pause
            used_before_pause = 0
        if _SPEAKER.match(unit[0]):
            pause, used_before_pause = unit.start(), used
        used += size
        if _PAUSE.match(unit[0]) and not _SPEAKER.match(unit[0]):
            pause, used_before_pause = unit.end(), used
    return [*pieces, text[start:].strip()]
