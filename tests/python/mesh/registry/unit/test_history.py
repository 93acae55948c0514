import datetime
import random

import pytest
from hypothesis import given, strategies

from mesh.core.errors import MeshError
from mesh.registry.history import AliasMove, read_moves, version_before
from mesh.registry.reference import ModelReference

PROD = ModelReference("KEYWORDS-COMPILED", alias="prod")


def moved(*versions: int) -> list[AliasMove]:
    """Moves to versions; a negative one is a rollback to it."""
    return [
        AliasMove(alias="prod", before=None, after=abs(version), who="ann", undo=version < 0)
        for version in versions
    ]


@pytest.mark.parametrize(
    ("versions", "current", "before"),
    [
        ((1, 2), 2, 1),
        ((1, 2, 3, -2), 2, 1),
        ((1, 2, 3, -2, 4), 4, 2),
        ((1, 2, 3, -2, 4, -2), 2, 1),
        ((1, 2, 1), 1, 2),
        # The last move did not happen.
        ((1, 2, 3), 2, 1),
    ],
)
def test_version_before(versions, current, before):
    assert version_before(PROD, moved(*versions), current) == before


@pytest.mark.parametrize(
    ("versions", "current"), [((), 1), ((1,), 1), ((1, 2, -1), 1), ((1, 2), 7)]
)
def test_no_version_before(versions, current):
    with pytest.raises(MeshError, match="no version before that is recorded"):
        version_before(PROD, moved(*versions), current)


def test_moves_of_other_aliases_do_not_count():
    other = [move.model_copy(update={"alias": "dev"}) for move in moved(3, 4)]
    assert version_before(PROD, [*moved(1), *other, *moved(2)], 2) == 1


@given(strategies.lists(strategies.integers(1, 9), min_size=1, unique=True))
def test_rollbacks_take_all_moves_back(versions):
    moves = moved(*versions)
    for expected in reversed(versions[:-1]):
        assert version_before(PROD, moves, moves[-1].after) == expected
        moves += moved(-expected)


def chain(*steps: tuple[int | None, int]) -> list[AliasMove]:
    """Numbered moves, each from a version to another one."""
    return [
        AliasMove(alias="prod", before=before, after=after, who="ann", number=number)
        for number, (before, after) in enumerate(steps, 1)
    ]


@pytest.mark.parametrize(
    ("steps", "current", "before"),
    [
        # The mover to 3 was killed before the alias moved.
        (((None, 1), (1, 3), (1, 2)), 2, 1),
        (((None, 1), (1, 2), (2, 3)), 2, 1),
        # Something else than the mesh moved the alias to 5.
        (((None, 1), (1, 2), (5, 3)), 3, 5),
        (((None, 1), (1, 2), (2, 1)), 1, 2),
    ],
)
def test_moves_that_did_not_happen_are_told_by_the_next_one(steps, current, before):
    assert version_before(PROD, chain(*steps), current) == before


def test_a_first_move_that_did_not_happen():
    with pytest.raises(MeshError, match="no version before that is recorded"):
        version_before(PROD, chain((None, 3), (None, 2)), 2)


@given(strategies.lists(strategies.integers(-1000, 1000), max_size=8), strategies.randoms())
def test_the_order_is_that_of_the_chain_whatever_the_clocks(minutes, shuffled: random.Random):
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = [
        AliasMove(
            alias="prod",
            before=None,
            after=number,
            who="ann",
            number=number,
            when=now + datetime.timedelta(minutes=offset),
        )
        for number, offset in enumerate(minutes, 1)
    ]
    stored = {move.id: move.model_dump_json() for move in shuffled.sample(made, len(made))}
    assert read_moves("KEYWORDS-COMPILED", stored) == (made, [])


OLD = """{"alias":"prod","before":null,"after":%d,"who":"ann","when":"2026-01-01T00:%02d:00Z","undo":false}"""


def test_records_without_a_number_come_first_by_their_times():
    new = chain((2, 3))[0]
    stored = {"new": new.model_dump_json(), "b": OLD % (2, 5), "a": OLD % (1, 4)}
    moves, damaged = read_moves("KEYWORDS-COMPILED", stored)
    assert [(move.id, move.after) for move in moves] == [("a", 1), ("b", 2), ("new", 3)]
    assert damaged == []


def test_damaged_records_hide_no_others_and_given_up_ones_are_left_out():
    first, second = chain((None, 1), (None, 2))
    stored = {
        "bad": "{",
        first.id: first.model_dump_json(),
        second.id: second.model_copy(update={"withdrawn": True}).model_dump_json(),
    }
    moves, damaged = read_moves("KEYWORDS-COMPILED", stored)
    assert moves == [first]
    assert len(damaged) == 1
    assert damaged[0].startswith("The record bad of KEYWORDS-COMPILED's alias moves is damaged: ")


def test_a_record_that_a_later_one_names_is_missed():
    first, second = chain((None, 1), (1, 2))
    second = second.model_copy(update={"previous": first.id})
    moves, damaged = read_moves("KEYWORDS-COMPILED", {second.id: second.model_dump_json()})
    assert moves == [second]
    assert damaged == [
        f"The record {first.id} of KEYWORDS-COMPILED's alias moves is missing: {second.id} names it."
    ]
    # A damaged one is there.
    stored = {first.id: "{", second.id: second.model_dump_json()}
    assert len(read_moves("KEYWORDS-COMPILED", stored)[1]) == 1
