"""Moves of an alias that meet: one happens, the others are told so."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from mesh.core.errors import MeshError
from mesh.registry import moving
from mesh.registry.history import AliasMove, read_moves
from mesh.registry.moving import AliasState, move_alias, roll_back
from mesh.registry.reference import ModelReference

PROD = ModelReference("KEYWORDS-COMPILED", alias="prod")
DEV = ModelReference("KEYWORDS-COMPILED", alias="dev")


class Kept:
    """Aliases in memory; `before_call` runs before a call of a method, with its name."""

    def __init__(self) -> None:
        self.aliases: dict[str, int] = {}
        self.stored: dict[str, str] = {}
        self.before_call: Callable[[str], None] = lambda _: None

    def read(self) -> AliasState:
        self.before_call("read")
        return AliasState(dict(self.aliases), read_moves(PROD.name, dict(self.stored))[0])

    def record(self, move: AliasMove) -> None:
        self.before_call("withdraw" if move.withdrawn else "record")
        self.stored[move.id] = move.stored

    def point(self, alias: str, version: int) -> None:
        self.before_call("point")
        self.aliases[alias] = version

    def once(self, name: str, action: Callable[[], object]) -> None:
        """Run an action before the next call of a method."""

        def before_call(called: str) -> None:
            if called == name:
                self.before_call = lambda _: None
                action()

        self.before_call = before_call


@pytest.fixture
def kept(monkeypatch):
    monkeypatch.setattr(moving, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(moving, "POLL_SECONDS", 0.002)
    return Kept()


def moves(kept):
    return [(move.alias, move.before, move.after) for move in kept.read().moves]


def test_each_record_names_the_one_before(kept):
    for version, reference in ((1, PROD), (2, DEV), (3, PROD), (3, PROD)):
        move_alias(kept, reference, "ann", version)
    first, second, third = kept.read().moves
    assert moves(kept) == [("prod", None, 1), ("dev", None, 2), ("prod", 1, 3)]
    assert [first.previous, second.previous, third.previous] == ["", first.id, second.id]
    assert [first.number, second.number, third.number] == [1, 2, 3]


@pytest.mark.parametrize("call", ["record", "point"])
def test_a_move_that_another_one_overtakes_is_told_so(kept, call):
    move_alias(kept, PROD, "ann", 1)
    kept.once(call, lambda: move_alias(kept, PROD, "ben", 2))
    with pytest.raises(MeshError, match=r"was moved to KEYWORDS-COMPILED-2 by ben at the same"):
        move_alias(kept, PROD, "ann", 3)
    assert kept.aliases == {"prod": 2}
    assert moves(kept)[0] == ("prod", None, 1)
    assert moves(kept)[-1] == ("prod", 1, 2)


def test_a_rollback_that_a_move_overtakes_is_told_so(kept):
    for version in (1, 2, 3):
        move_alias(kept, PROD, "ann", version)
    kept.once("record", lambda: roll_back(kept, PROD, "ben", lambda _: None))
    with pytest.raises(MeshError, match="at the same time"):
        roll_back(kept, PROD, "ann", lambda _: None)
    assert kept.aliases == {"prod": 2}


def test_moves_of_another_alias_are_no_conflict(kept):
    kept.once("record", lambda: move_alias(kept, DEV, "ben", 2))
    move_alias(kept, PROD, "ann", 1)
    assert kept.aliases == {"prod": 1, "dev": 2}


def test_a_killed_move_blocks_nobody(kept):
    move_alias(kept, PROD, "ann", 1)

    def kill() -> None:
        raise KeyboardInterrupt

    kept.once("point", kill)
    with pytest.raises(KeyboardInterrupt):
        move_alias(kept, PROD, "ann", 3)
    move_alias(kept, PROD, "ann", 2)
    assert kept.aliases == {"prod": 2}
    assert roll_back(kept, PROD, "ann", lambda _: None) == 1


def test_of_many_moves_at_once_each_happens_or_is_told(kept, monkeypatch):
    monkeypatch.setattr(moving, "WAIT_SECONDS", 20)
    together = threading.Barrier(6)

    def move(version: int) -> int | None:
        together.wait()
        try:
            move_alias(kept, PROD, "ann", version)
        except MeshError:
            return None
        return version

    for begin in (1, 11, 21):
        with ThreadPoolExecutor(6) as pool:
            results = list(pool.map(move, range(begin, begin + 6)))
        made = [move.after for move in kept.read().moves if move.after >= begin]
        assert sorted(made) == [version for version in results if version is not None]
        assert kept.aliases == {"prod": made[-1]}
    steps = moves(kept)
    assert [before for _, before, _ in steps] == [None, *[after for _, _, after in steps[:-1]]]


def test_reason_is_recorded_and_takes_no_place_where_none_is_given(kept):
    move_alias(kept, PROD, "ann", 1)
    move_alias(kept, PROD, "ann", 2, "the old one is slow")
    assert [move.why for move in kept.read().moves] == ["", "the old one is slow"]
    assert ["why" in text for text in kept.stored.values()] == [False, True]
