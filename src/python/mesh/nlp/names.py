"""Given names in a text: the places where they occur, and the places that callers give.

A name is compared word by word. Spacing, the form of apostrophes and dashes, Unicode's normal form,
full-width letters, invisible characters, letter case and references of HTML such as `&amp;` make no
difference.
"""

import html
from collections import deque
from collections.abc import Iterator, Sequence

import regex

from mesh.core.errors import UsageError
from mesh.core.passes import checkpoint
from mesh.nlp.blocks import BLOCK_BREAK
from mesh.nlp.document import Document
from mesh.nlp.normal_form import PLAIN_FORMS
from mesh.nlp.segmentation import SPACELESS_SCRIPTS, Word, fold
from mesh.nlp.sentences import Span
from mesh.nlp.words import run_characters, split_words

MAX_OCCURRENCES = 100_000
_LONGER = 20
"""How many times as long as its name a place may be, with invisible characters and the like."""
_SHOWN = 100
"""Characters of a document in a message."""
MAX_NAME_WORDS = 50
"""Words and marks of a name; longer ones never occur, so that a request can't take all memory."""

_INVISIBLE = regex.compile(r"\p{Cf}")
_HIDDEN = regex.compile(r"[\p{Cf}--\u200c\u200d]", regex.VERSION1)
"""Without the joiners, by which words are parted as in the text."""
_RUN_CHARACTER = regex.compile(run_characters(SPACELESS_SCRIPTS), regex.VERSION1)


def occurrences(
    names: Sequence[str], text: str, *, limit: int = MAX_OCCURRENCES
) -> list[list[Span]]:
    """The spans of a text in which each name occurs as whole words, within one block, in order.

    Occurrences of one name don't overlap; those of different names may. The time is linear in the
    text, the names and the occurrences (Aho & Corasick, 1975): 1,000 names in 200,000 characters
    take 0.3 s.

    Args:
        text: of a `Document`.
        limit: of all occurrences together.

    Raises:
        UsageError: there are more.
    """
    search = _Search()
    for number, name in enumerate(names):
        for form in _forms(name):
            search.add(form, number)
    search.link()
    found: list[list[Span]] = [[] for _ in names]
    for count, (number, span) in enumerate(_matches(search, text)):
        if count == limit:
            raise UsageError(
                f"The names of a document occur more than {limit:,} times: send fewer names, or "
                "their `start` and `end`."
            )
        found[number].append(span)
    return found


def place(document: Document, name: str, start: int, end: int) -> Span:
    """The span of a document's text for the place of a name in the document as it was sent.

    Raises:
        UsageError: the document has another text at that place.
    """
    checkpoint()
    span = document.to_text(start, end)
    there = document.text[slice(*span)] if span else ""
    # A place that is far longer than its name isn't read: many names may have the same one.
    is_near = len(there) <= _LONGER * len(name)
    if span and is_near and (document.original[start:end] == name or _key(there) in _forms(name)):
        return Span(*span)
    shown = there if len(there) <= _SHOWN else f"{there[:_SHOWN]}…"
    raise UsageError(
        f"The entity {name!r} isn't at {start}:{end}, where the document has {shown!r}."
    )


class _Search:
    """The names as a tree of words; `nodes[0]` is its root."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, int]] = [{}]
        self.depths = [0]
        self.names: list[list[int]] = [[]]
        # The node of the longest proper suffix, and the nearest such node where a name ends.
        self.suffixes = [0]
        self.shorter = [0]

    def add(self, words: Sequence[str], name: int) -> None:
        if not 0 < len(words) <= MAX_NAME_WORDS:
            return
        node = 0
        for word in words:
            following = self.nodes[node].setdefault(word, len(self.nodes))
            if following == len(self.nodes):
                self.nodes.append({})
                self.depths.append(self.depths[node] + 1)
                self.names.append([])
            node = following
        self.names[node].append(name)

    def link(self) -> None:
        """Find the suffixes of all nodes, those near the root first."""
        self.suffixes = [0] * len(self.nodes)
        self.shorter = [0] * len(self.nodes)
        waiting = deque([0])
        while waiting:
            node = waiting.popleft()
            for word, following in self.nodes[node].items():
                suffix = self.step(self.suffixes[node], word) if node else 0
                self.suffixes[following] = suffix
                self.shorter[following] = suffix if self.names[suffix] else self.shorter[suffix]
                waiting.append(following)

    def step(self, node: int, word: str) -> int:
        """The node of the longest suffix of the words read so far."""
        while node and word not in self.nodes[node]:
            node = self.suffixes[node]
        return self.nodes[node].get(word, 0)

    def ends(self, node: int) -> Iterator[int]:
        """The nodes of the names that end where a node is reached, the longest first."""
        node = node if self.names[node] else self.shorter[node]
        while node:
            yield node
            node = self.shorter[node]


def _matches(search: _Search, text: str) -> Iterator[tuple[int, Span]]:
    """Each occurrence with the number of its name, in the order of their ends."""
    plain = text.translate(PLAIN_FORMS)
    words = [word for word in split_words(plain) if not _is_invisible(text, word)]
    begins = [not word.start or not _goes_on(text, word.start, word.start - 1) for word in words]
    read_until = [0] * len(search.nodes)
    node = previous = 0
    for last, word in enumerate(words):
        checkpoint()
        if BLOCK_BREAK in text[previous : word.start]:
            node = 0
        previous = word.end
        node = search.step(node, fold(plain[word.start : word.end]))
        if not node or _goes_on(text, word.end - 1, word.end):
            continue
        for end in search.ends(node):
            first = last - search.depths[end] + 1
            if words[first].start >= read_until[end] and begins[first]:
                read_until[end] = word.end
                yield from (
                    (name, Span(words[first].start, word.end)) for name in search.names[end]
                )


def _is_invisible(text: str, word: Word) -> bool:
    return word.end - word.start == 1 and bool(_INVISIBLE.match(text, word.start))


def _goes_on(text: str, mark: int, neighbour: int) -> bool:
    """Whether a word touches a mark at the end of a name, such as `11` that of `C++` in `C++11`."""
    return not text[mark].isalnum() and bool(_RUN_CHARACTER.match(text, neighbour))


def _forms(name: str) -> set[tuple[str, ...]]:
    """The keys of a name as it is, and as HTML."""
    return {_key(name), _key(html.unescape(name))}


def _key(name: str) -> tuple[str, ...]:
    """The words and marks of a name in the form in which they are compared."""
    visible = _HIDDEN.sub("", name.translate(PLAIN_FORMS))
    words = (fold(visible[start:end]) for start, end in split_words(visible))
    return tuple(word for word in words if word)
