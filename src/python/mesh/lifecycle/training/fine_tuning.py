"""`train:train` of projects that fine-tune a base model on a version of features."""

import contextlib
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh.core.card import ARTIFACTS, ModelCard
from mesh.core.disk import full_disk_errors
from mesh.core.errors import MeshError, as_clause
from mesh.core.files import atomic_directory
from mesh.core.workspace import WorkspaceSettings
from mesh.data.settings import DataSettings
from mesh.data.splitting import SPLITS, TEST
from mesh.data.store import DataStore
from mesh.lifecycle.recipe import Recipe, Training
from mesh.lifecycle.results import publish, record_result
from mesh.lifecycle.training.checkpoints import (
    TrainedNetwork,
    open_work,
    prepare_base,
    remove_work,
    trained_network,
)
from mesh.lifecycle.training.evaluation import check_alias, compare, read_held_out, score_version
from mesh.lifecycle.training.planning import Plan, make_plan
from mesh.lifecycle.training.precision import find_precision
from mesh.lifecycle.training.recording import Recording, record
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.lifecycle.training.team import Team, join_team
from mesh.lifecycle.training.usefulness import check_rows
from mesh.lifecycle.version import RegressionTest, base_card
from mesh.nlp.tagging import tag_set
from mesh.registry.base import ModelRegistry, ModelVersion
from mesh.registry.factory import open_registry
from mesh.registry.runs import DATA_TAG
from mesh.registry.settings import RegistrySettings

if TYPE_CHECKING:
    # torch takes seconds to import.
    from mesh.lifecycle.training.figures import Log

logger = logging.getLogger(__name__)

Rows = Mapping[str, Sequence[Any]]
"""The rows of each split, or of each set that is held out."""


def fine_tune(
    recipe: Recipe,
    training: Training,
    settings: FineTuneSettings,
    workspace: WorkspaceSettings,
    data: DataSettings,
    registry_settings: RegistrySettings,
) -> None:
    """Publish `<KEY>-TRAINED-N`, unless a version with the same fingerprint exists.

    Under torchrun, all processes train and the first one publishes.

    Raises:
        MeshError: the device isn't here, or the base model or the features are missing or damaged,
            or don't fit each other.
    """
    team = join_team(settings.device)
    with record(recipe.project, registry_settings, settings, team) as recording:
        store = DataStore(recipe.project, "features", data)
        plan = make_plan(recipe, training, settings, store, download=True)
        registry = open_registry(registry_settings)
        name = recipe.project.trained_model
        found = team.agree(
            lambda: None if settings.force else registry.find(name, plan.fingerprint)
        )
        if found:
            logger.info("%s is up to date: nothing it depends on has changed", found.reference)
            recording.discard()
            if team.leads:
                record_result(workspace, recipe.project, found, registry_settings)
            return
        if team.leads:
            check_alias(recipe, registry, settings.compare_with)
        folder = workspace.output(recipe.project, "train")
        checkpoints = workspace.output(recipe.project, "checkpoints")
        with open_work(checkpoints, plan.fingerprint[:16], alone=team.leads) as work:
            version = _train_and_publish(plan, team, registry, recording, work, folder)
            if version is None:
                return
            record_result(workspace, recipe.project, version, registry_settings)
            recording.keep(version, folder)
            remove_work(work)
    logger.info("registered %s (%.1f MB)", version.reference, version.manifest.size / 1e6)


def _train_and_publish(
    plan: Plan,
    team: Team,
    registry: ModelRegistry,
    recording: Recording,
    work: Path,
    folder: Path,
) -> ModelVersion | None:
    """The new version, whose files are in `folder`; None except in the first process."""
    with full_disk_errors(work, "make room there, and train again: it resumes"):
        rows = read_rows(plan, work)
        held_out = {name: read_held_out(one) for name, one in plan.training.held_out.items()}
        describe(recording, plan, rows, team)
        recording.start(work)
        network = train(plan, rows, work, team, recording.log if recording.wanted else None)
        team.leave()
        if network is None:
            return None
        with atomic_directory(folder, replace=True) as made:
            metrics = _evaluate(plan, registry, network, rows, held_out, work, made)
            card = _card(plan, metrics, recording.reference())
            name, force = plan.recipe.project.trained_model, plan.settings.force
            with _kept(network):
                return publish(registry, name, made, card, force=force)


@contextlib.contextmanager
def _kept(network: TrainedNetwork) -> Iterator[None]:
    """Add to an error of the registry that the training needn't be repeated."""
    try:
        yield
    except MeshError as error:
        raise MeshError(
            f"{as_clause(error)}; the trained network is kept in {network.folder}, and the same "
            "command registers it without training again."
        ) from error


def _evaluate(
    plan: Plan,
    registry: ModelRegistry,
    network: TrainedNetwork,
    rows: Rows,
    held_out: Rows,
    work: Path,
    directory: Path,
) -> dict[str, Any]:
    """Write the network and its stored predictions into a version's directory; return its scores."""
    recipe = plan.recipe
    shutil.copytree(network.folder, directory / ARTIFACTS)
    logger.info("predicting %d samples with the uncompiled model", len(plan.samples))
    device = plan.settings.device
    model = recipe.load_reference(directory / ARTIFACTS, device)
    predictions = recipe.reference(model)(plan.samples, plan.params)
    RegressionTest(plan.samples, plan.params, predictions).write(directory)
    scores = score_version(recipe, plan.training, model, rows[TEST], held_out, directory)
    with _kept(network):
        alias = plan.settings.compare_with
        compared = compare(recipe, registry, alias, scores["test"], rows[TEST], device, work)
    return {
        **scores,
        **compared,
        "epochs": network.epochs,
        "temperature": network.temperature,
    }


def read_rows(plan: Plan, work: Path) -> dict[str, list[Any]]:
    """The rows of each split."""
    training = plan.training
    with plan.store.local(plan.features, work) as local:
        rows = {split: [training.row_of(one) for one in local.rows(split)] for split in SPLITS}
    if plan.settings.epochs:
        is_tagged = plan.recipe.task == "token-classification"
        check_rows(rows, training.labels, is_tagged=is_tagged)
    return rows


def describe(recording: Recording, plan: Plan, rows: Rows, team: Team) -> None:
    """Tell what the training is made from."""
    recording.describe(
        {
            "rows_of_a_step": plan.chosen["batch_size"],
            "processes": team.size,
            **{f"rows_{split}": len(found) for split, found in rows.items()},
        },
        {
            DATA_TAG: plan.features.version,
            "mesh.data_digest": plan.features.digest,
            "mesh.base_digest": plan.base.source.digest,
            "mesh.fingerprint": plan.fingerprint,
        },
    )


def train(
    plan: Plan, rows: Rows, work: Path, team: Team, log: "Log | None"
) -> TrainedNetwork | None:
    """The trained network, unless `work` has it already; None except in the first process.

    Args:
        log: takes the figures of each step and epoch.
    """
    settings, labels = plan.settings, plan.training.labels
    if finished := team.agree(lambda: trained_network(work)):
        logger.info("the training has ended before; its result is in %s", finished.folder)
        return finished if team.leads else None
    if not settings.epochs:
        if not team.leads:
            return None
        return TrainedNetwork(folder=prepare_base(plan.base, None, work), epochs=[], temperature=1)
    from mesh.lifecycle.training.network import count_long, train_network

    base = team.agree(lambda: prepare_base(plan.base, plan.training.prepare, work))
    if team.leads and (
        long := count_long(base, [row.text for row in rows["train"]], settings.max_length)
    ):
        logger.warning(
            "%d training texts have more than TRAIN_MAX_LENGTH=%d tokens; their ends are ignored",
            long,
            settings.max_length,
        )
    return train_network(
        base,
        plan.recipe.task,
        tag_set(labels) if plan.recipe.task == "token-classification" else labels,
        rows["train"],
        rows["validation"],
        _calibration_rows(plan.training, rows),
        settings,
        work,
        plan.training.augment,
        team,
        log,
    )


def _calibration_rows(training: Training, rows: Rows) -> Sequence[Any]:
    """The recipe's rows for the temperature in the languages of the training rows.

    The validation split, if there are none.
    """
    languages = {row.language for row in rows["train"]}
    chosen = read_held_out(training.calibration) if training.calibration else []
    return [row for row in chosen if row.language in languages] or rows["validation"]


def _card(plan: Plan, metrics: dict[str, Any], run: dict[str, str]) -> ModelCard:
    card = base_card(
        plan.recipe, plan.base, plan.params, model_type="trained", made_from=plan.made_from
    )
    features, settings = plan.features, plan.settings
    computed_in = find_precision(settings.precision, settings.device)
    return card.model_copy(
        update={
            "data_version": features.version,
            "settings": {
                **card.settings,
                "training": {**plan.chosen, "precision": computed_in},
                "data": {"digest": features.digest, "source": features.source},
                **({"run": run} if run else {}),
            },
            "metrics": metrics,
        }
    )
