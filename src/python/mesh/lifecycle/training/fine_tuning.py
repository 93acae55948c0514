"""`train:train` of projects that fine-tune a base model on a version of features."""

import logging
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mesh.core.card import ARTIFACTS, ModelCard
from mesh.core.digest import fingerprint
from mesh.core.files import atomic_directory
from mesh.core.inputs import Inputs, code_inputs, setting_inputs
from mesh.core.roots import NOT_TRAINING, TRAINER_PACKAGES, TRAINING
from mesh.core.status import NEVER_RUN, Status
from mesh.core.workspace import WorkspaceSettings
from mesh.data.manifest import DataManifest
from mesh.data.splitting import SPLITS, TEST
from mesh.data.store import DataSettings, DataStore
from mesh.lifecycle.base_model import BaseModel, resolve_base_model
from mesh.lifecycle.recipe import Recipe, Training
from mesh.lifecycle.results import publish, record_result
from mesh.lifecycle.status import status_of_model
from mesh.lifecycle.training.evaluation import (
    compare,
    held_out_digests,
    read_held_out,
    score_version,
)
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.lifecycle.training.usefulness import check_rows
from mesh.lifecycle.version import (
    RegressionTest,
    base_card,
    base_inputs,
    stored_test,
)
from mesh.nlp.tagging import tag_set
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

if TYPE_CHECKING:
    # torch takes seconds to import.
    from mesh.lifecycle.training.network import TrainedNetwork

logger = logging.getLogger(__name__)

# These settings don't change the result.
_NOT_IN_FINGERPRINT = {"base_model", "samples", "inference_params", "data", "force", "device"}


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
        MeshError: the base model or the features are missing or damaged, or don't fit each other.
    """
    inputs, params = stored_test(recipe, settings.samples, settings.inference_params)
    base = resolve_base_model(settings.base_model)
    store = DataStore(recipe.project, "features", data)
    features = store.get(settings.data)
    chosen = settings.model_dump(mode="json", exclude=_NOT_IN_FINGERPRINT)
    made_from = {
        **base_inputs(recipe, base.source, inputs, params),
        **_training_inputs(recipe, training, features, chosen),
    }
    described = fingerprint(made_from)
    registry = open_registry(registry_settings)
    name = recipe.project.trained_model
    if not settings.force and (found := registry.find(name, described)):
        logger.info("%s is up to date: nothing it depends on has changed", found.reference)
        record_result(workspace, recipe.project, found, registry_settings)
        return
    checkpoints = workspace.output(recipe.project, "checkpoints")
    work = checkpoints / described[:16]
    work.mkdir(parents=True, exist_ok=True)
    with store.local(features, work) as local:
        rows = {split: [training.row_of(one) for one in local.rows(split)] for split in SPLITS}
    if settings.epochs:
        check_rows(rows, training.labels, is_tagged=recipe.task == "token-classification")
    network = _train(recipe, training, settings, base, rows, work)
    if network is None:
        return
    with atomic_directory(workspace.output(recipe.project, "train"), replace=True) as directory:
        shutil.copytree(network.folder, directory / ARTIFACTS)
        logger.info("predicting %d samples with the uncompiled model", len(inputs))
        model = recipe.load_reference(directory / ARTIFACTS)
        RegressionTest(inputs, params, recipe.reference(model)(inputs, params)).write(directory)
        scores = score_version(recipe, training, model, rows[TEST], directory)
        compared = compare(
            recipe, registry, settings.compare_with, scores["test"], rows[TEST], work
        )
        metrics = {
            **scores,
            **compared,
            "epochs": network.epochs,
            "temperature": network.temperature,
        }
        card = base_card(recipe, base, params, model_type="trained", made_from=made_from)
        card = _card(card, features, chosen, metrics)
        version = publish(registry, name, directory, card, force=settings.force)
    shutil.rmtree(checkpoints)
    record_result(workspace, recipe.project, version, registry_settings)
    logger.info("registered %s (%.1f MB)", version.reference, version.manifest.size / 1e6)


def fine_tuning_status(
    recipe: Recipe,
    training: Training,
    settings: FineTuneSettings,
    _workspace: WorkspaceSettings,
    data: DataSettings,
    registry_settings: RegistrySettings,
) -> Status:
    """Whether the version that would be trained now is registered."""
    store = DataStore(recipe.project, "features", data)
    if not store.versions():
        return NEVER_RUN
    samples, params = stored_test(recipe, settings.samples, settings.inference_params)
    base = resolve_base_model(settings.base_model, download=False)
    chosen = settings.model_dump(mode="json", exclude=_NOT_IN_FINGERPRINT)
    inputs = {
        **base_inputs(recipe, base.source, samples, params),
        **_training_inputs(recipe, training, store.get(settings.data), chosen),
    }
    return status_of_model(registry_settings, recipe.project.trained_model, inputs)


def _training_inputs(
    recipe: Recipe, training: Training, features: DataManifest, settings: dict[str, Any]
) -> Inputs:
    """The inputs of a fine-tuned version, beside those of its base model."""
    return {
        "data": features.digest,
        **{f"held out {name}": digest for name, digest in held_out_digests(training).items()},
        **setting_inputs({**settings, "labels": list(training.labels)}),
        **code_inputs(
            (*recipe.modules, *TRAINING), excluded=NOT_TRAINING, packages=TRAINER_PACKAGES
        ),
    }


def _train(
    recipe: Recipe,
    training: Training,
    settings: FineTuneSettings,
    base: BaseModel,
    rows: dict[str, list[Any]],
    work: Path,
) -> "TrainedNetwork | None":
    """The trained network; None except in the first process."""
    from mesh.lifecycle.training.network import TrainedNetwork, count_long, train_network

    if not settings.epochs:
        untrained = work / "model"
        with atomic_directory(untrained, replace=True) as folder:
            base.copy_to(folder)
        return TrainedNetwork(untrained, [], temperature=1.0)
    labels = training.labels
    # Each of torchrun's processes has its own copy.
    with tempfile.TemporaryDirectory() as temporary:
        prepared = Path(temporary)
        base.copy_to(prepared)
        if training.prepare:
            training.prepare(prepared)
        if long := count_long(prepared, [row.text for row in rows["train"]], settings.max_length):
            logger.warning(
                "%d training texts have more than TRAIN_MAX_LENGTH=%d tokens; their ends are "
                "ignored",
                long,
                settings.max_length,
            )
        return train_network(
            prepared,
            recipe.task,
            tag_set(labels) if recipe.task == "token-classification" else labels,
            rows["train"],
            rows["validation"],
            _calibration_rows(training, rows),
            settings,
            work,
            training.augment,
        )


def _calibration_rows(training: Training, rows: dict[str, list[Any]]) -> list[Any]:
    """The recipe's rows for the temperature in the languages of the training rows.

    The validation split, if there are none.
    """
    languages = {row.language for row in rows["train"]}
    chosen = read_held_out(training.calibration) if training.calibration else []
    return [row for row in chosen if row.language in languages] or rows["validation"]


def _card(
    card: ModelCard, features: DataManifest, settings: dict[str, Any], metrics: dict[str, Any]
) -> ModelCard:
    return card.model_copy(
        update={
            "data_version": features.version,
            "settings": {
                **card.settings,
                "training": settings,
                "data": {"digest": features.digest, "source": features.source},
            },
            "metrics": metrics,
        }
    )
