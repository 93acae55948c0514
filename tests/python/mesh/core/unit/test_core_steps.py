"""The steps that a project has."""

import pytest

from mesh.core.project import CODE_ONLY_STEPS, DATA_STEPS, TRAINED_STEPS, Project
from mesh.core.steps import BACKFILL, steps_of


@pytest.mark.parametrize(
    ("steps", "by_hand"),
    [
        (DATA_STEPS + TRAINED_STEPS, ("register:tag", BACKFILL)),
        (TRAINED_STEPS, (BACKFILL,)),
        (CODE_ONLY_STEPS, (BACKFILL,)),
        (DATA_STEPS, ("register:tag",)),
        (("compile:trace",), ()),
    ],
)
def test_steps_by_hand_come_last_where_there_is_what_they_need(
    steps: tuple[str, ...], by_hand: tuple[str, ...]
) -> None:
    assert steps_of(Project(name="a", description="", port=1, steps=steps)) == (*steps, *by_hand)
