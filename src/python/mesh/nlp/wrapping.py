"""Reading documents: which lines go on in the next one, by the lengths of the text's lines."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mesh.core.passes import checkpoint
from mesh.nlp.hyphens import CUTS, HYPHENS

_NARROWEST = 30
_WIDEST = 160
"""Columns at which texts are wrapped."""
_SAFE = 50
"""Columns from which on two lines of equal length are no chance."""

# Characters that take two columns, of scripts that are wrapped anywhere.
_BROAD = "\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uff60\U00020000-\U0003fffd"
_WIDE = re.compile(f"[{_BROAD}\u1100-\u115f\uac00-\ud7a3\uffe0-\uffe6]")
_WRAPPED_ANYWHERE = re.compile(f"[{_BROAD}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_ENDS = frozenset(".!?:;\u2026\u3002\uff01\uff1f\u0964\u061f\u06d4\u0589")
_CLOSING = "\"'\u2019\u201d\xbb)]\u300d"
_CUT = re.compile(rf"[^\W\d_][{CUTS}][^\W\d_]|[^\W_][{HYPHENS}][^\W_]")
_REPEATED = re.compile(rf"[^\W\d_][{HYPHENS}][{HYPHENS}][^\W\d_]")
_UNFINISHED = frozenset(
    (
        "san santa santo são saint sankt "
        "a an the of in on at to for from by with and or as is are was were be that which who this these its his her "
        "their our my your into than not "
        "der die das den dem des ein eine einen einem einer und oder von zu zum zur mit im am vom für auf bei nach "
        "aus dass ist sind war wird "
        "le la les l' un une de du et ou à au aux en dans pour par sur avec que qui est "
        "el los las del y o con por para al su sus se "
        "il lo gli i di da della dei delle nel nella e ed che per non "
        "os as do dos das em no na nos nas ao um uma com "
        "het een van op voor met te dat "
        "och att av på som för med till den det ett är "
        "w z na do się że od dla jest nie po za "
        "и в во на с со к по из за от для что не о у как"  # noqa: RUF001
    ).split()
)
"""Articles, prepositions and the like, after which a sentence or a name goes on."""


class TextLine(NamedTuple):
    """A line that isn't empty.

    Args:
        text: its characters, without white space around them.
        indent: the columns before them.
        run: number of the lines without an empty line between them.
        begins: whether it is known to begin a block.
        is_item: whether a mark of a list stands before it.
        new_page: whether a page ends between the line before and it.
    """

    text: str
    indent: int
    run: int
    begins: bool
    is_item: bool
    new_page: bool


class _Pair(NamedTuple):
    """Two lines: their number, and the columns at which a text that ends the first one is wrapped."""

    second: int
    shortest: int
    longest: int


class _Surroundings(NamedTuple):
    """The lines around a pair, without an empty line between.

    Args:
        width: the column at which they are wrapped, if they are.
        longest: the columns of the longest line that has a next one.
        is_even: whether the next word would have passed these columns in all of them, but for the
            last one of a page, and no verse begins.
        is_sentence: whether the last line ends a sentence.
        is_lower: whether the first line begins in lower case.
        is_narrow: whether several lines of a few words are one sentence, rather than names.
    """

    width: int | None
    longest: int
    is_even: bool
    is_sentence: bool
    is_lower: bool
    is_narrow: bool


def is_wrapped_anywhere(character: str) -> bool:
    """Whether a line may end at a character without a space, as in Chinese, also at its marks."""
    return _WRAPPED_ANYWHERE.match(character) is not None


def is_repeated_hyphen(before: str, after: str) -> bool:
    """Whether a hyphen stands on both sides of a line's end, as in Portuguese "guarda-" "-chuva"."""
    return _REPEATED.fullmatch(before[-2:] + after[:2]) is not None


def joined_lines(lines: Sequence[TextLine], language: str) -> set[int]:
    """The numbers of the lines that go on with the line before."""
    pairs = [
        _pair(lines, number)
        for number in range(1, len(lines))
        if lines[number].run == lines[number - 1].run and not lines[number].begins
    ]
    if not pairs:
        return set()
    width = _width(pairs, lines)
    joined = set()
    for run in _runs(pairs, lines):
        checkpoint()
        surroundings = _surroundings(run, lines, width)
        for pair in run:
            if _goes_on(pair, lines[pair.second - 1], lines[pair.second], surroundings, language):
                joined.add(pair.second)
    return joined


def _surroundings(
    run: Sequence[_Pair], lines: Sequence[TextLine], width: int | None
) -> _Surroundings:
    first, last = lines[run[0].second - 1].text, lines[run[-1].second].text
    longest = max(pair.shortest for pair in run)
    words = " ".join([first, *(lines[pair.second].text for pair in run)]).split()
    lower = sum(word[0].islower() for word in words)
    return _Surroundings(
        width=_width(run, lines) or width,
        longest=longest,
        is_even=all(pair.longest >= longest or lines[pair.second].new_page for pair in run)
        and not _is_verse(run, lines),
        is_sentence=_is_ended(last),
        is_lower=first[0].islower(),
        is_narrow=len(run) > 1 and 3 * lower > len(words),
    )


def _is_verse(run: Sequence[_Pair], lines: Sequence[TextLine]) -> bool:
    """Whether a word of grammar has a capital letter at a line's start, but begins no sentence."""
    for pair in run:
        before = lines[pair.second - 1].text
        first = lines[pair.second].text.split(None, 1)[0]
        if not first[0].isupper() or first.lower() not in _UNFINISHED or _is_ended(before):
            continue
        # "in | The Hague"
        if before.split()[-1].lower() not in _UNFINISHED:
            return True
    return False


def _runs(pairs: Iterable[_Pair], lines: Sequence[TextLine]) -> list[list[_Pair]]:
    runs: list[list[_Pair]] = []
    for pair in pairs:
        if not runs or lines[runs[-1][-1].second].run != lines[pair.second].run:
            runs.append([])
        runs[-1].append(pair)
    return runs


def _pair(lines: Sequence[TextLine], second: int) -> _Pair:
    before, after = lines[second - 1], lines[second]
    shortest = before.indent + _columns(before.text)
    first = after.text.split(None, 1)[0]
    if _WRAPPED_ANYWHERE.match(first):
        first = first[:1] if _WIDE.match(first) else first[:10]
    # Characters of print differ in width, but not the broad ones.
    slack = 0 if _WIDE.match(first) else shortest // 20
    return _Pair(second, shortest - slack, shortest + _columns(first) + slack)


def _is_ended(line: str) -> bool:
    """Whether a line ends in a mark that ends a sentence, or announces a list."""
    return line.rstrip(_CLOSING)[-1:] in _ENDS


def _columns(text: str) -> int:
    return len(text) if text.isascii() else len(text) + len(_WIDE.findall(text))


def _width(pairs: Sequence[_Pair], lines: Sequence[TextLine]) -> int | None:
    """The column at which most lines are wrapped, if they are."""
    changes = [0] * (_WIDEST + 2)
    for pair in pairs:
        if pair.shortest <= _WIDEST:
            changes[max(pair.shortest, 0)] += 1
            changes[min(pair.longest, _WIDEST) + 1] -= 1
    best, most, count = 0, 0, 0
    for column, change in enumerate(changes[: _WIDEST + 1]):
        count += change
        if column >= _NARROWEST and count > most:
            best, most = column, count
    if most < 3 and not (most == len(pairs) == 2 and best >= _SAFE):
        return None
    long = sum(pair.longest >= best // 2 for pair in pairs)
    wrapped = [pair for pair in pairs if pair.shortest <= best <= pair.longest]
    cased = [pair for pair in wrapped if _is_cased(lines[pair.second].text[0])]
    lower = sum(lines[pair.second].text[0].islower() for pair in cased)
    return best if 2 * most >= long and 5 * lower >= len(cased) and (lower or most > 2) else None


def _is_cased(character: str) -> bool:
    return character.islower() or character.isupper()


def _goes_on(
    pair: _Pair, before: TextLine, after: TextLine, around: _Surroundings, language: str
) -> bool:
    lower = after.text[0].islower()
    words = before.text.split()
    if is_repeated_hyphen(before.text, after.text):
        return True
    # A speaker who is interrupted ends in a hyphen, too: "We could-", "No!"; but not in a name.
    is_name = after.text[0].isupper() and words[-1][0].isupper()
    # A line of one word may be one of a list.
    is_name = is_name and (around.is_sentence or len(words) > 1)
    if _CUT.match(before.text[-2:] + after.text[0]) and (is_name or not after.text[0].isupper()):
        return True
    fits = around.width is not None and pair.shortest <= around.width <= pair.longest
    if _is_ended(before.text):
        # "p.m." and the like don't end a sentence.
        new_paragraph = after.new_page or after.indent > before.indent + 1
        is_short = before.text.endswith(".") and len(words) > 2 and lower
        return (fits or is_short) and not new_paragraph
    if fits:
        return True
    if after.new_page:
        anywhere = is_wrapped_anywhere(before.text[-1]) and is_wrapped_anywhere(after.text[0])
        return lower or anywhere or words[-1].lower() in _UNFINISHED
    if lower and before.is_item and before.indent == after.indent:
        return True
    if 2 * pair.longest < (around.width or around.longest):
        return False
    if len(words) > 2 and words[-1].lower() in _UNFINISHED:
        return True
    if lower and not around.is_lower:
        return _is_begun_sentence(words, around)
    is_wrapped = around.width is None and around.is_even and around.is_sentence
    return is_wrapped and _is_running(words, after.text, language, is_narrow=around.is_narrow)


def _is_begun_sentence(words: Sequence[str], around: _Surroundings) -> bool:
    """Whether a line before one in lower case isn't a greeting or a name."""
    if len(words) < (3 if words[-1].endswith(",") else 2):
        return False
    return around.is_sentence or any(word[0].islower() for word in words)


def _is_running(words: Sequence[str], after: str, language: str, *, is_narrow: bool) -> bool:
    """Whether a full line looks like a part of a sentence that isn't over."""
    first, last = after[0], words[-1]
    if is_wrapped_anywhere(last[-1]):
        return is_wrapped_anywhere(first)
    if not _is_cased(first) and not _is_cased(last[0]):
        return len(words) > 5
    lower = sum(word[0].islower() for word in words)
    is_long = len(words) >= 4 and 5 * lower >= 2 * len(words)
    if is_long and (not first.isupper() or language == "de"):
        return True
    is_name = last[0].isupper() and last[-1].isalnum()
    return is_name and (is_long or (is_narrow and lower > 0))
