"""The history of aliases: who moved them, when, from which version to which."""

import datetime
import uuid
from collections.abc import Mapping, Sequence

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from mesh.core.errors import MeshError, UsageError, describe_invalid
from mesh.registry.reference import LATEST, ModelReference

_LONGEST_REASON = 500
_LONGEST_RECORD = 2_000


class AliasMove(BaseModel):
    """One move of an alias of a model.

    It is recorded before the alias moves, so that no move goes unrecorded; one that fails or is
    killed in between leaves a record of a move that did not happen. Each record has a higher number
    than the one before it, and that makes their order. Times are those of the machines that moved
    the alias; they order only the records that have no number.

    Args:
        id: the record's own name.
        previous: the model's last record when this one was made; empty for the first.
        number: one more than that of the record before; 0 in records that name none, since they
            were made when moves were ordered by their times.
        withdrawn: whether the move was given up, since another one was made at the same time.
        before: the version that the alias pointed at, if it existed.
        after: the version that it was moved to.
        who: user and machine, unverified.
        undo: whether this was a rollback.
        why: the reason that was given, if one was.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    previous: str = ""
    number: int = 0
    withdrawn: bool = False
    alias: str
    before: int | None
    after: int
    who: str
    when: AwareDatetime = Field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    undo: bool = False
    why: str = ""

    @property
    def stored(self) -> str:
        """Its JSON; without a reason, versions of the mesh that know none can read it."""
        return self.model_dump_json(exclude=None if self.why else {"why"})


def check_reason(text: str) -> str:
    """The reason of a move on one line.

    Raises:
        UsageError: it is too long.
    """
    reason = " ".join(text.split())
    if len(reason) > _LONGEST_REASON:
        raise UsageError(
            f"The reason has {len(reason)} characters; give one of at most {_LONGEST_REASON}."
        )
    return reason


def shorten_reason(text: str) -> str:
    """A reason that was made longer, as far as the history takes it."""
    return text if len(text) <= _LONGEST_RECORD else f"{text[:_LONGEST_RECORD]}…"


def read_moves(name: str, records: Mapping[str, str]) -> tuple[list[AliasMove], list[str]]:
    """Read the records of a model's moves.

    Records without a number are the oldest; they are ordered by their times, as they were when they
    were made.

    Args:
        records: JSON texts by the names under which they are stored.

    Returns:
        The moves in order, without those that were given up; and a sentence for each record that is
        damaged, or missing though a later one names it.
    """
    moves, damaged = [], []
    for key, text in records.items():
        try:
            moves.append(AliasMove.model_validate_json(text).model_copy(update={"id": key}))
        except ValidationError as error:
            problem = describe_invalid(error)
            damaged.append(f"The record {key} of {name}'s alias moves is damaged: {problem}.")
    damaged += [
        f"The record {move.previous} of {name}'s alias moves is missing: {move.id} names it."
        for move in moves
        if move.previous and move.previous not in records
    ]
    made = [move for move in moves if not move.withdrawn]
    old = sorted((move for move in made if not move.number), key=lambda move: move.when)
    chain = sorted((move for move in made if move.number), key=lambda move: (move.number, move.id))
    return [*old, *chain], sorted(damaged)


def check_rollback(reference: str) -> ModelReference:
    """Read the reference of an alias to roll back, such as `KEYWORDS-COMPILED:prod`.

    Raises:
        UsageError: it is malformed, a number, or `latest`, which can't be moved.
    """
    parsed = ModelReference.parse(reference)
    if parsed.alias is None or parsed.alias == LATEST:
        raise UsageError(
            f"{reference!r} can't be rolled back: write NAME:alias, such as {parsed.name}:prod."
        )
    return parsed


def version_before(reference: ModelReference, moves: Sequence[AliasMove], current: int) -> int:
    """The version that an alias pointed at before the current one.

    A rollback undoes a move, so rolling back twice goes two versions back.

    Args:
        moves: those of the model, in order.

    Raises:
        MeshError: no other version of the alias is recorded.
    """
    versions: list[int] = []
    for move in moves:
        if move.alias != reference.alias:
            continue
        if move.number:
            _go_back(versions, move.before)
        if move.undo and move.after in versions:
            _drop_above(versions, move.after)
        else:
            versions.append(move.after)
    if current in versions:
        _drop_above(versions, current)
    if len(versions) < 2 or versions[-1] != current:
        raise MeshError(
            f"{reference} points at {reference.name}-{current}, and no version before that is recorded; "
            "move the alias to the version that you want."
        )
    return versions[-2]


def _go_back(versions: list[int], before: int | None) -> None:
    """End with the version that a move began at: moves after it did not happen."""
    if before in versions:
        _drop_above(versions, before)
    elif before is None:
        versions.clear()
    else:
        # Something else than the mesh has moved the alias.
        versions.append(before)


def _drop_above(versions: list[int], version: int) -> None:
    while versions[-1] != version:
        versions.pop()
