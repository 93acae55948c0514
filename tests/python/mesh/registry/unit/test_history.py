import pytest
from hypothesis import given, strategies

from mesh.core.errors import MeshError
from mesh.registry.history import AliasMove, version_before
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
