"""What a fine-tuned version will be made from, known before it is trained."""

from dataclasses import dataclass
from typing import Any

from mesh.core.digest import fingerprint
from mesh.core.inputs import Inputs, code_inputs, setting_inputs
from mesh.core.roots import NOT_TRAINING, TRAINER_PACKAGES, TRAINING
from mesh.core.status import NEVER_RUN, Status
from mesh.core.workspace import WorkspaceSettings
from mesh.data.manifest import DataManifest
from mesh.data.settings import DataSettings
from mesh.data.store import DataStore
from mesh.lifecycle.base_model import BaseModel, resolve_base_model
from mesh.lifecycle.recipe import Recipe, Training
from mesh.lifecycle.status import status_of_model
from mesh.lifecycle.training.evaluation import held_out_digests
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.lifecycle.training.team import team_size
from mesh.lifecycle.version import base_inputs, stored_test
from mesh.registry.settings import RegistrySettings

# These settings don't change the result.
_NOT_IN_FINGERPRINT = {
    *("base_model", "samples", "inference_params", "data", "force", "device", "record")
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A training, and all that determines its result.

    Args:
        samples: documents whose predictions are stored, with the parameters `params`.
        chosen: the settings that are part of the fingerprint.
    """

    recipe: Recipe
    training: Training
    settings: FineTuneSettings
    samples: list[str]
    params: dict[str, Any]
    base: BaseModel
    store: DataStore
    features: DataManifest
    chosen: dict[str, Any]
    made_from: Inputs

    @property
    def fingerprint(self) -> str:
        """The digest of all that determines the result."""
        return fingerprint(self.made_from)


def make_plan(
    recipe: Recipe,
    training: Training,
    settings: FineTuneSettings,
    store: DataStore,
    *,
    download: bool,
) -> Plan:
    """Find the base model and the features.

    Args:
        download: whether to call the hub for the base model.

    Raises:
        MeshError: one of them is missing.
    """
    samples, params = stored_test(recipe, settings.samples, settings.inference_params)
    base = resolve_base_model(settings.base_model, download=download)
    features = store.get(settings.data)
    chosen = settings.model_dump(mode="json", exclude=_NOT_IN_FINGERPRINT)
    # What is trained depends on the rows of a step, however many processes share them.
    chosen["batch_size"] *= team_size()
    made_from = {
        **base_inputs(recipe, base.source, samples, params),
        **_training_inputs(recipe, training, features, chosen),
    }
    return Plan(
        recipe=recipe,
        training=training,
        settings=settings,
        samples=samples,
        params=params,
        base=base,
        store=store,
        features=features,
        chosen=chosen,
        made_from=made_from,
    )


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
    plan = make_plan(recipe, training, settings, store, download=False)
    return status_of_model(registry_settings, recipe.project.trained_model, plan.made_from)


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
