"""The history of aliases: who moved them, when, from which version to which."""

import datetime
from collections.abc import Sequence

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from mesh.core.errors import MeshError, UsageError
from mesh.registry.reference import LATEST, ModelReference


class AliasMove(BaseModel):
    """One move of an alias of a model.

    It is recorded before the alias moves, so that no move goes unrecorded; one that fails or is
    killed in between leaves a record of a move that did not happen. Times are those of the machines
    that moved the alias.

    Args:
        before: the version that the alias pointed at, if it existed.
        after: the version that it was moved to.
        who: user and machine, unverified.
        undo: whether this was a rollback.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    alias: str
    before: int | None
    after: int
    who: str
    when: AwareDatetime = Field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    undo: bool = False


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


def _drop_above(versions: list[int], version: int) -> None:
    while versions[-1] != version:
        versions.pop()
