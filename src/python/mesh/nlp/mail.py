"""Reading documents: the lines of a mail besides its message, such as header and signature."""

import re
from collections.abc import Sequence

from mesh.nlp import mail_phrases as phrases
from mesh.nlp.blocks import BlockKind

# A time of day or an address, as programs write it.
_TIMED = re.compile(r"\d[:.h]\d\d(?!\d)|@")
_GREETED_END = re.compile(r"\s*[,!:;.\u060c\u3001\u3002\uff01\uff0c\uff1a\u2026\u2013\u2014-]*$")
_CONJUNCTIONS = frozenset("and und et y e en och og i и & / et".split())
_RULE = re.compile(r"[_=-]{10,}$")
# Some programs put the writer's initials first.
_QUOTE = re.compile(r"(?:[A-Z]{2,3})?>")
_NAME = re.compile(
    r"[^\W\d_a-z][\w'-]*(?:\.? (?:(?:de|da|di|la|van|von|der|den|i|e|y|und|and|et|en|och) )*[^\W\d_a-z][\w'-]*){0,3}"
)
_NAME_ALONE = re.compile(r"[^\W\d_a-z]\w+(?: [^\W\d_a-z]\w+)?,")

_LONGEST = 300
_FIRST_LINES = 3
_HEAD_LINES = 12
_SIGNATURE_LINES = 12


def kinds(lines: Sequence[str]) -> dict[int, BlockKind]:
    """What the lines of a mail are: header, greeting, signature or quoted; {} for other texts.

    Args:
        lines: of the text, split at line feeds.

    A text is a mail if it has one certain sign of it (a header with a subject or addresses, a mail
    quoted with who wrote it, "Original Message", a formal closing with a name at the end, "-- " or
    "Sent from my phone" at the end) or two of: a greeting on a line of its own at the start, a
    closing with a name at the end, lines that begin with `>`, one line of a header.
    """
    stripped = [line.strip().replace("\u2019", "'") for line in lines]
    header, certainty = _header(lines, stripped)
    quoted, quoted_certainty = _quoted(stripped, max(header, default=-1) + 1)
    own = [i for i, line in enumerate(stripped) if line and i not in quoted and i not in header]
    greeting = _greeting(stripped, own)
    message = [i for i in own if i > greeting[0]] if greeting else own
    signature, signature_certainty = _signature(lines, stripped, message, bool(greeting))
    if certainty + quoted_certainty + bool(greeting) + signature_certainty < 2:
        return {}
    return (
        dict.fromkeys(sorted(header), BlockKind.MAIL_HEADER)
        | dict.fromkeys(greeting, BlockKind.GREETING)
        | dict.fromkeys(signature, BlockKind.SIGNATURE)
        | dict.fromkeys(sorted(quoted), BlockKind.QUOTED)
    )


def _header(lines: Sequence[str], stripped: Sequence[str]) -> tuple[set[int], int]:
    """The header at the start, and how certain it makes a mail: 0, 1 or 2."""
    first = next((i for i, line in enumerate(stripped) if line), len(stripped))
    end, roles = _header_block(lines, stripped, first)
    certainty = _certainty_of_header(stripped[first:end], roles)
    return (set(range(first, end)) if certainty else set()), certainty


def _header_block(
    lines: Sequence[str], stripped: Sequence[str], first: int
) -> tuple[int, set[str]]:
    """The end of the header lines from a line on, and what they say."""
    roles: set[str] = set()
    i = first
    while i < len(lines) and stripped[i]:
        if match := phrases.HEADER.match(stripped[i][:_LONGEST]):
            roles.add(match.lastgroup or "")
        elif not (roles and lines[i][:1] in " \t"):
            break
        i += 1
    return i, roles


def _certainty_of_header(block: Sequence[str], roles: set[str]) -> int:
    parties = roles & {"sender", "recipient"}
    addresses = any("@" in line for line in block)
    if parties and (roles & {"subject", "sent"} or addresses):
        return 2
    return int(bool(roles & {"subject", "sent"}) or (len(parties) == 2 and "more" in roles))


def _quoted(stripped: Sequence[str], start: int) -> tuple[set[int], int]:
    """The lines of earlier mails, and how certain they make a mail: 0, 1 or 2."""
    quoted = {i for i in range(start, len(stripped)) if _QUOTE.match(stripped[i])}
    certainty = int(bool(quoted))
    own = [i for i in range(start, len(stripped)) if stripped[i] and i not in quoted]
    for i in own:
        if phrases.ORIGINAL.match(stripped[i][:_LONGEST]) or _is_header_of_quoted(
            stripped, i, start
        ):
            first = i - 1 if i > start and _RULE.match(stripped[i - 1]) else i
            return quoted | set(range(first, len(stripped))), 2
        if count := _attribution(stripped, i):
            end = i + count
            following = end + (end < len(stripped) and not stripped[end])
            is_timed = _TIMED.search(" ".join(stripped[i:end])) is not None
            if following in quoted:
                quoted.update(range(i, following))
                # Elsewhere it may be an article that quotes a letter.
                if is_timed or i == own[0] or end > own[-1]:
                    certainty = 2
            elif is_timed:
                return quoted | set(range(i, len(stripped))), 2
    return quoted, certainty


def _is_header_of_quoted(stripped: Sequence[str], i: int, start: int) -> bool:
    """Whether the header of an earlier mail begins at a line, as Outlook writes it."""
    before = next((line for line in reversed(stripped[max(start, i - 2) : i]) if line), "")
    if i == start or not stripped[i] or (stripped[i - 1] and not _RULE.match(before)):
        return False
    match = phrases.HEADER.match(stripped[i][:_LONGEST])
    if not match or match.lastgroup != "sender":
        return False
    block = stripped[i : i + 8]
    end, roles = _header_block(block, block, 0)
    return end >= 3 and bool(roles & {"sent", "subject"}) and "recipient" in roles


def _attribution(stripped: Sequence[str], i: int) -> int:
    """The number of lines from a line on, at most 3, that say who wrote what follows; or 0."""
    joined = ""
    for count in range(1, 4):
        if i + count > len(stripped) or not (line := stripped[i + count - 1]) or line[0] == ">":
            return 0
        joined = f"{joined} {line}".strip()
        if len(joined) > _LONGEST:
            return 0
        if line.endswith((":", "\uff1a")) and phrases.ATTRIBUTION.match(joined):
            return count
    return 0


def _greeting(stripped: Sequence[str], own: Sequence[int]) -> list[int]:
    """The line of the greeting; a name with a comma is one in the first line only."""
    if own and _NAME_ALONE.fullmatch(stripped[own[0]]):
        return [own[0]]
    for place, i in enumerate(own[:_HEAD_LINES]):
        if is_greeting(stripped[i]):
            return [i]
        # The lines of a letter's head are short.
        if place >= _FIRST_LINES - 1 and (len(stripped[i]) > 50 or stripped[i][-1] in ".?!"):
            break
    return []


def is_greeting(line: str) -> bool:
    """Whether a line is a greeting and nothing else, as "Dear Ann," but not "Dear Ann, I'm late."."""
    if len(line) > 100 or not (match := phrases.GREETING.fullmatch(line)):
        return False
    rest = _GREETED_END.sub("", match["rest"])
    if re.search(r"[!?]\s|\w{5}\.\s", rest):
        return False
    head, *others = rest.split(",")
    return len(head.split()) <= (7 if line[-1] in ",:!\u060c" else 5) and all(
        _is_greeted(part.strip()) for part in others
    )


def _is_greeted(part: str) -> bool:
    """Whether a part after a comma is one more greeting, or one more name."""
    words = part.split()
    if match := phrases.GREETING.match(part):
        return len(match["rest"].split()) <= 4
    return (
        bool(words)
        and len(words) <= 4
        and all(word[0].isupper() or word in _CONJUNCTIONS for word in words)
    )


def _signature(
    lines: Sequence[str], stripped: Sequence[str], message: Sequence[int], greeted: bool
) -> tuple[list[int], int]:
    """The lines of the signature, and how certain they make a mail: 0, 1 or 2."""
    tail = message[-40:]
    certainty = 0
    start = len(tail)
    for at in range(len(tail) - 1, -1, -1):
        line = stripped[tail[at]]
        sign = _sign(lines[tail[at]], line, is_last=at == len(tail) - 1)
        if sign and _is_signature([stripped[i] for i in tail[at:]]):
            start, certainty = at, max(certainty, sign)
    has_text = start > 0 and _is_text(stripped[tail[start - 1]])
    if (
        certainty == 2
        and not phrases.SENT_FROM.match(stripped[tail[start]])
        and (not has_text or (not greeted and any(is_greeting(stripped[i]) for i in message)))
    ):
        # A list of phrases, or a letter within another text.
        certainty = 1
    if start == len(tail) and greeted and len(tail) > 1 and _ends_with_name(stripped, tail):
        start, certainty = len(tail) - 1, 1
    return _without_postscript(stripped, tail[start:]), certainty


def _sign(raw: str, line: str, *, is_last: bool) -> int:
    """How certain a line that begins a signature makes a mail; 0 for other lines."""
    if line == "--":
        return 2 if raw.rstrip("\r\n") == "-- " else 1
    if len(line) > 160:
        return 0
    if phrases.SENT_FROM.match(line):
        return 2
    match = phrases.CLOSING.match(line)
    if not match or (match["name"] and not match["name"][0].isupper()):
        return 0
    return 2 if match["formal"] and (match["name"] or not is_last) else 1


def _is_signature(lines: Sequence[str]) -> bool:
    """Whether lines, from the closing on, are short, and none is a sentence; then a disclaimer."""
    for count, line in enumerate(lines[1:]):
        if phrases.DISCLAIMER.search(line) or phrases.POSTSCRIPT.match(line):
            return True
        if count >= _SIGNATURE_LINES or len(line) > 100 or _is_sentence(line):
            return False
    return len(lines) > 1 or lines[0] != "--"


def _is_sentence(line: str) -> bool:
    if line.endswith(("。", "\uff1f", "\uff01")):
        return not phrases.CLOSING.match(line)
    words = line.split()
    # "Lee & Ray Harbour Works Ltd." is none.
    return line.endswith((".", "?", "!", ";")) and (
        len(words) >= 7 or (len(words) >= 3 and len(words[-1]) > 5)
    )


def _is_text(line: str) -> bool:
    """Whether a line is long enough for a message, or ends as a sentence does."""
    return len(line) >= 30 or line.endswith(
        (".", "?", "!", ")", "…", "。", "\uff1f", "\uff01", "؟")
    )


def _ends_with_name(stripped: Sequence[str], tail: Sequence[int]) -> bool:
    """Whether the last line is a name on its own, after a message."""
    last = tail[-1]
    is_apart = not stripped[last - 1] and bool(_NAME.fullmatch(stripped[last]))
    return is_apart and any(_is_text(stripped[i]) for i in tail[:-1])


def _without_postscript(stripped: Sequence[str], signature: Sequence[int]) -> list[int]:
    """The lines of a signature but for a postscript, which ends at an empty line."""
    kept: list[int] = []
    is_postscript = False
    for i in signature:
        if not stripped[i - 1]:
            is_postscript = False
        is_postscript |= bool(phrases.POSTSCRIPT.match(stripped[i]))
        if not is_postscript:
            kept.append(i)
    return kept
