"""Moves an alias: of moves that are made at the same time, one happens, and the others are told so.

No clock takes part. A mover records its move behind the last record that it has seen, and reads the
records again. If another one for the alias has come meanwhile, it gives its own move up. Each
writes before it reads, so of two movers at least one sees the other.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mesh.core.errors import MeshError
from mesh.registry.history import AliasMove, version_before
from mesh.registry.reference import ModelReference

WAIT_SECONDS = 5.0
"""Time for a recorded move to reach its alias; after it, its mover is taken for killed."""

POLL_SECONDS = 0.05
_ATTEMPTS = 10


@dataclass(frozen=True)
class AliasState:
    """A model's aliases with the versions that they point at, and all their moves in order."""

    aliases: Mapping[str, int]
    moves: Sequence[AliasMove]

    def moves_of(self, alias: str) -> list[AliasMove]:
        """The moves of one alias, in order."""
        return [move for move in self.moves if move.alias == alias]

    def is_settled(self, alias: str) -> bool:
        """Whether the last recorded move of an alias has reached it."""
        moves = self.moves_of(alias)
        if not moves or not moves[-1].number:
            return True
        last = {move.after for move in moves if move.number == moves[-1].number}
        return self.aliases.get(alias) in last


class Aliases(Protocol):
    """The aliases of one model, as a backend keeps them."""

    def read(self) -> AliasState:
        """The current state."""

    def record(self, move: AliasMove) -> None:
        """Store a move under its id, or replace it."""

    def point(self, alias: str, version: int) -> None:
        """Point an alias at a version."""


def move_alias(
    aliases: Aliases, reference: ModelReference, who: str, version: int, why: str = ""
) -> None:
    """Point an alias at a version; where it points there already, nothing is recorded.

    Args:
        why: the reason, if one is given.

    Raises:
        MeshError: it was moved elsewhere at the same time.
    """
    _move(aliases, reference, lambda _: version, who=who, why=why)


def roll_back(
    aliases: Aliases, reference: ModelReference, who: str, check: Callable[[int], object]
) -> int:
    """Point an alias at the version before, and return that.

    Args:
        check: raises a `MeshError` if a version no longer exists.

    Raises:
        MeshError: there is no version before, or the alias was moved at the same time.
    """

    def choose(state: AliasState) -> int:
        before = version_before(reference, state.moves, state.aliases.get(str(reference.alias), 0))
        check(before)
        return before

    return _move(aliases, reference, choose, who=who, undo=True)


def _move(
    aliases: Aliases,
    reference: ModelReference,
    choose: Callable[[AliasState], int],
    *,
    who: str,
    why: str = "",
    undo: bool = False,
) -> int:
    alias = str(reference.alias)
    first = seen = _wait_settled(aliases, alias)
    after = choose(first)
    for _ in range(_ATTEMPTS):
        if seen.aliases.get(alias) == after and (seen is first or not undo):
            return after
        if seen.aliases.get(alias) != first.aliases.get(alias):
            break
        move = _next_move(seen, alias, after, who=who, why=why, undo=undo)
        aliases.record(move)
        known = {other.id for other in (*seen.moves_of(alias), move)}
        if known.issuperset(other.id for other in aliases.read().moves_of(alias)):
            aliases.point(alias, after)
            _check_last(aliases, reference, move)
            return after
        aliases.record(move.model_copy(update={"withdrawn": True}))
        time.sleep(random.uniform(1, 10) * POLL_SECONDS)  # noqa: S311
        seen = _wait_settled(aliases, alias)
    raise _conflict(reference, seen)


def _next_move(
    state: AliasState, alias: str, after: int, *, who: str, why: str, undo: bool
) -> AliasMove:
    last = state.moves[-1] if state.moves else None
    return AliasMove(
        previous=last.id if last else "",
        number=last.number + 1 if last else 1,
        alias=alias,
        before=state.aliases.get(alias),
        after=after,
        who=who,
        undo=undo,
        why=why,
    )


def _wait_settled(aliases: Aliases, alias: str) -> AliasState:
    """The state when no move of an alias is under way, or one has been for too long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (state := aliases.read()).is_settled(alias) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return state


def _check_last(aliases: Aliases, reference: ModelReference, move: AliasMove) -> None:
    """Check that a move which took long was not taken for one that was killed.

    Raises:
        MeshError: a later move was made meanwhile; the alias points where that one says.
    """
    alias = move.alias
    if aliases.read().moves_of(alias)[-1].number <= move.number:
        return
    state = _wait_settled(aliases, alias)
    if not state.is_settled(alias):
        aliases.point(alias, state.moves_of(alias)[-1].after)
        raise _conflict(reference, state)


def _conflict(reference: ModelReference, state: AliasState) -> MeshError:
    moves = state.moves_of(str(reference.alias))
    other = f" to {reference.name}-{moves[-1].after} by {moves[-1].who}" if moves else ""
    return MeshError(
        f"{reference} was moved{other} at the same time, so this move was given up; see mesh registry "
        f"history {reference.name}, and repeat it if it is still right."
    )
