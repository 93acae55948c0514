"""The scores of a quantized network on the test split, beside those of its version."""

import logging
from pathlib import Path

from mesh.core.card import ModelCard
from mesh.core.devices import Placement
from mesh.core.errors import MeshError, as_clause
from mesh.core.precisions import Precision
from mesh.data.settings import DataSettings
from mesh.data.splitting import TEST
from mesh.lifecycle.comparison import rows_of_test_split
from mesh.lifecycle.compile_records import CaseResult
from mesh.lifecycle.recipe import Recipe

logger = logging.getLogger(__name__)

MOST_LOST = 0.005
"""By how much a score may fall."""
_SCORES = {"text-classification": ("accuracy", "macro_f1"), "token-classification": ("f1",)}


def compare_scores(
    recipe: Recipe, data: DataSettings, version: Path, compiled: Path, precision: Precision
) -> CaseResult:
    """Score a compiled network on the rows that its uncompiled version was scored on.

    Args:
        data: where versions of data are.
        version: the folder of the uncompiled version.
        compiled: the folder `compiled/`.
        precision: what the network computes in.

    Returns:
        A case that failed if a score fell by more than `MOST_LOST`, and was skipped where there is
        no test split.

    Raises:
        MeshError: the compiled network can't be loaded.
    """
    name = f"scores_of_the_test_split[{precision}]"
    card = ModelCard.read(version)
    try:
        before = card.metrics.get(TEST)
        if not before:
            raise MeshError("The version has no scores of a test split.")
        rows = rows_of_test_split(recipe, data, card.data_version)
    except MeshError as error:
        message = (
            f"the scores in {precision} were not compared with those in float32: "
            f"{as_clause(error)}; only parity and the stored samples were checked in it"
        )
        logger.warning("%s", message)
        return CaseResult(name=name, outcome="skipped", message=message)
    from mesh.compile.artifact import CompiledModel
    from mesh.lifecycle.training.predictions import evaluate

    with Placement(precision=precision).applied():
        model = CompiledModel.load(compiled)
    found = evaluate(recipe, model, rows)
    lost = {each: before[each] - found[each] for each in _SCORES[recipe.task]}
    message = f"on the {len(rows)} rows of the test split, " + " and ".join(
        f"{each} is {found[each]:.4f} in {precision} and {before[each]:.4f} in float32"
        for each in lost
    )
    # They are rounded to four digits.
    if round(max(lost.values()), 4) <= MOST_LOST:
        logger.info("%s", message)
        return CaseResult(name=name, outcome="passed", message=message)
    advice = (
        f"a score may fall by {100 * MOST_LOST:g} points at most, so leave {precision} out of "
        "COMPILE_PRECISIONS"
    )
    return CaseResult(name=name, outcome="failed", message=f"{message}; {advice}")
