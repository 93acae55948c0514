import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entity_fishing.knowledge import KnowledgeBase
from entity_fishing.lookup import MAX_LOWER_CASE_WORDS, MAX_WORDS, Lookup
from entity_fishing.names import is_simple_word, name_key
from entity_fishing.reading import Reading, Run
from entity_fishing.schema import Language
from mesh.nlp.document import read_document
from mesh.nlp.normal_form import PLAIN_FORMS

_PARTS = (
    *("Labour", "labour's", "Theatre", "New York", "-based", "-led", "a", "the", "O'Brien"),
    *("J.", "R", "U.S.", "AT&T", " & ", "&", ".", "-", "\u2013", ", ", "+", "/", "\u2019", "!"),
    *("Zo\u00eb", "e\u0301", "\u0301", "\u0140", "Stra\u00dfe", "\u4e2d", "\u30ab\u3099", "3"),
)


class _Known:
    """Names with some keys, which are their only candidates."""

    def __init__(self, keys):
        self.keys = set(keys)
        self.asked = set()

    def find(self, keys, language):
        self.asked.update(keys)
        return {key: [key] for key in self.keys.intersection(keys)}

    def begun(self, beginnings):
        return {start for start in beginnings if any(key.startswith(start) for key in self.keys)}


def _reading(text):
    return Reading(read_document(text, "plain"), Language.ENGLISH)


def _runs(reading):
    """All runs that are short enough for a name, and their keys."""
    text, words = reading.text, reading.words
    for first in range(len(words)):
        is_short = text[words[first].start].islower() and not reading.is_lower_case
        for last in range(first, min(first + MAX_WORDS, len(words))):
            gaps = [text[words[i].end : words[i + 1].start] for i in range(first, last)]
            if is_short and last - first >= MAX_LOWER_CASE_WORDS:
                break
            if all(re.fullmatch(r" ?[&'./+-]? ?|, ", gap.translate(PLAIN_FORMS)) for gap in gaps):
                yield Run(first, last), name_key(text[words[first].start : words[last].end])


@given(st.lists(st.sampled_from((*_PARTS, " ")) | st.just(" "), max_size=24), st.randoms())
def test_every_run_with_a_known_key_is_found(parts, chance):
    reading = _reading("".join(parts))
    runs = dict(_runs(reading))
    for known in (runs.values(), [key for key in runs.values() if chance.random() < 0.2]):
        keys = set(known)
        lookup = Lookup(reading, _Known(keys))
        found = {run: lookup.candidates(run) for run in runs if lookup.candidates(run)}
        assert found == {run: [key] for run, key in runs.items() if key in keys}
        assert [run for i in range(len(reading.words)) for run in lookup.runs(i)] == sorted(found)


def test_runs_that_no_name_begins_with_are_not_looked_up():
    known = _Known(["new york city"])
    Lookup(_reading("So New York City Hall opened."), known)
    words = {"so", "new", "york", "city", "hall", "opened"}
    assert known.asked == words | {"new york", "new york city"}


def test_each_simple_word_has_one_key_in_all_names():
    simple = list(filter(is_simple_word, map(chr, range(sys.maxunicode + 1))))
    assert len(simple) > 150
    for c in simple:
        words = (f"{c}x", c, f"x{c}")
        for gap in (" ", ", ", "'", "-", "/", "+"):
            assert name_key(gap.join(words)) == gap.join(map(name_key, words))


@pytest.mark.parametrize(
    ("beginning", "is_one"),
    [("", True), ("pari", True), ("new york", True), ("new york ", True), ("new yorkx", False)],
)
def test_knowledge_base_says_with_what_its_names_begin(beginning, is_one):
    knowledge = KnowledgeBase.open(None)
    assert knowledge.begun([beginning, "qqq"]) == ({beginning} if is_one else set())
