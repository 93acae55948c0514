"""What a project declares about its models for people, and about what may replace `prod`."""

from collections.abc import Mapping
from dataclasses import dataclass

PROMOTED = "prod"
"""The alias that is given under the conditions of a recipe."""


@dataclass(frozen=True, kw_only=True)
class About:
    """The parts of a model card that no program can find out.

    Args:
        intended_use: what the model is for, in sentences.
        unfit: what it must not be used for.
        limits: what it is known to do badly.
        data: what the shipped data is, and who wrote it.
        data_licence: SPDX identifier of the shipped data's licence.
    """

    intended_use: str
    unfit: tuple[str, ...]
    limits: tuple[str, ...]
    data: str = ""
    data_licence: str = ""


@dataclass(frozen=True, kw_only=True)
class PromoteIf:
    """The conditions under which a version becomes `prod`, each compared with `prod` as it is.

    Args:
        scores: the largest loss that is allowed in a score of the test split, by its name.
        slices: the largest loss that is allowed in accuracy or F1 of a slice or label; None doesn't
            compare slices.
        slice_rows: fewest rows of a slice that is compared, since scores of few rows vary by chance.
        load_test: whether the last load test of a compiled version must be there and passed.
    """

    scores: Mapping[str, float]
    slices: float | None = None
    slice_rows: int = 30
    load_test: bool = True

    @property
    def compares(self) -> bool:
        """Whether scores are compared with those of `prod`."""
        return bool(self.scores) or self.slices is not None
