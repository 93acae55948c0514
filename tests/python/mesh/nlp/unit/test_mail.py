from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marked_texts import read_marked_texts
from mesh.nlp.blocks import BlockKind
from mesh.nlp.mail import kinds

_KINDS = {
    "H": BlockKind.MAIL_HEADER,
    "G": BlockKind.GREETING,
    "S": BlockKind.SIGNATURE,
    "Q": BlockKind.QUOTED,
}

_DATA = Path(__file__).parents[1] / "data"
MAILS = read_marked_texts(_DATA / "mails.txt")
OTHERS = read_marked_texts(_DATA / "no_mails.txt")


@pytest.mark.parametrize("name", MAILS)
def test_each_line_of_a_mail_has_its_kind(name: str):
    mail = MAILS[name]

    found = kinds(mail.lines)

    wanted = {i: _KINDS[mark] for i, mark in mail.marks.items()}
    assert _shown(mail.lines, found) == _shown(mail.lines, wanted)


@pytest.mark.parametrize("name", OTHERS)
def test_other_texts_have_no_parts_of_mails(name: str):
    assert kinds(OTHERS[name].lines) == {}


def _shown(lines: Sequence[str], found: dict[int, BlockKind]) -> list[str]:
    return [f"{found.get(i, '')}|{line}" for i, line in enumerate(lines) if line.strip()]


@pytest.mark.parametrize("ending", ["\r", " ", "\t"])
@pytest.mark.parametrize("name", ["en whole", "de whole", "fr quoted"])
def test_white_space_at_the_ends_of_lines_changes_nothing(name: str, ending: str):
    lines = MAILS[name].lines

    assert kinds([line + ending for line in lines]) == kinds(lines)


_PARTS = st.sampled_from(
    (
        "",
        "Hi Ann,",
        "From: Ann",
        "To: Bob",
        "Best regards",
        "Bob",
        "> a",
        "-- ",
        "The tram is late.",
        "On 3 May 2021, Ann wrote:",
        "-----Original Message-----",
        "P.S. Bring it.",
        "\f",
        " x",
    )
)


@given(st.lists(_PARTS, max_size=20))
def test_the_parts_of_a_mail_come_in_order(lines: list[str]):
    found = kinds(lines)

    own = [kind for _, kind in sorted(found.items()) if kind is not BlockKind.QUOTED]
    order = [BlockKind.MAIL_HEADER, BlockKind.GREETING, BlockKind.SIGNATURE]
    assert own == sorted(own, key=order.index)
    assert all(0 <= i < len(lines) for i in found)
