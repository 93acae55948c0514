"""Makes a version: weights, regression test and card in one directory."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from mesh.core.card import ARTIFACTS, BaseModelSource, ModelCard, TestFiles
from mesh.core.digest import fingerprint
from mesh.core.environment import code_revision, describe_environment
from mesh.core.errors import UsageError, describe_invalid
from mesh.core.files import read_json, write_json_atomic
from mesh.core.inputs import Inputs, code_inputs, packages_of, setting_inputs
from mesh.core.manifest import Manifest
from mesh.core.roots import NOT_TRAINING, PREDICTING
from mesh.lifecycle.base_model import BaseModel
from mesh.lifecycle.recipe import Recipe

logger = logging.getLogger(__name__)

TEST_FILES = TestFiles()


@dataclass(frozen=True)
class RegressionTest:
    """Stored inputs, inference parameters and predictions of a version."""

    inputs: list[str]
    inference_params: Mapping[str, Any]
    predictions: list[Any]

    @classmethod
    def read(cls, directory: Path) -> "RegressionTest":
        """Read the test files of a version's directory.

        Raises:
            MeshError: one is missing or malformed.
        """
        return cls(
            read_json(directory / TEST_FILES.inputs),
            read_json(directory / TEST_FILES.inference_params),
            read_json(directory / TEST_FILES.predictions),
        )

    def write(self, directory: Path) -> None:
        """Write the test files into a version's directory."""
        write_json_atomic(directory / TEST_FILES.inputs, self.inputs)
        write_json_atomic(directory / TEST_FILES.inference_params, dict(self.inference_params))
        write_json_atomic(directory / TEST_FILES.predictions, self.predictions)


def base_inputs(
    recipe: Recipe, source: BaseModelSource, samples: Sequence[str], params: Mapping[str, Any]
) -> Inputs:
    """The inputs of an uncompiled version: weights, samples, code and versions of packages."""
    return {
        "base model": source.digest,
        "samples": fingerprint(list(samples)),
        **setting_inputs({**recipe.declared, "inference_params": dict(params)}),
        **code_inputs((*recipe.modules, *PREDICTING), excluded=NOT_TRAINING),
    }


def source_digest(version: Path) -> str:
    """The digest of a downloaded version's weights and regression test, without its card."""
    return digest_of(Manifest.read(version))


def digest_of(manifest: Manifest) -> str:
    """The digest of the weights and the regression test among a version's files."""
    return Manifest(files=tuple(file for file in manifest.files if "/" in file.path)).digest


def stored_test(
    recipe: Recipe, samples: Path | None, params: Mapping[str, Any]
) -> tuple[list[str], dict[str, Any]]:
    """The documents and parameters whose predictions are stored with a version.

    Args:
        samples: a file with documents that replace the project's own.
        params: parameters that are merged over the project's own.

    Raises:
        UsageError: the parameters don't fit the project's configuration.
        MeshError: the documents can't be read.
    """
    documents = regression_inputs(recipe.read_samples(samples))
    merged = {**recipe.inference_params, **params}
    check_params(recipe, merged)
    return documents, merged


def check_params(recipe: Recipe, params: Mapping[str, Any]) -> None:
    """Check inference parameters before any work.

    Raises:
        UsageError: they don't fit the project's configuration.
    """
    try:
        recipe.configuration.model_validate(params)
    except ValidationError as error:
        raise UsageError(
            f"The inference parameters are wrong: {describe_invalid(error)}."
        ) from error


def assemble(
    recipe: Recipe,
    base: BaseModel,
    inputs: list[str],
    params: Mapping[str, Any],
    device: str,
    directory: Path,
) -> None:
    """Write a base model and its predictions for the inputs into a version's directory.

    Args:
        device: what they are computed on, as for `Recipe.load_reference`.
    """
    artifacts = directory / ARTIFACTS
    artifacts.mkdir()
    base.copy_to(artifacts)
    logger.info("predicting %d samples with the uncompiled model", len(inputs))
    model = recipe.load_reference(artifacts, device)
    predictions = recipe.reference(model)(inputs, params)
    RegressionTest(inputs, params, predictions).write(directory)


def base_card(
    recipe: Recipe,
    base: BaseModel,
    params: Mapping[str, Any],
    *,
    model_type: Literal["base", "trained"],
    made_from: Inputs,
) -> ModelCard:
    """The card of an uncompiled version made from a base model without training."""
    return ModelCard(
        project=recipe.project.name,
        model_type=model_type,
        description=recipe.project.description,
        base_model=base.source,
        settings={"task": recipe.task, "inference_params": dict(params)},
        code_revision=code_revision(),
        environment=describe_environment(packages_of(made_from)),
        fingerprint=fingerprint(made_from),
        made_from=made_from,
        test_files=TEST_FILES,
    )


def regression_inputs(samples: Sequence[str]) -> list[str]:
    """The samples, and one text of more than 20,000 characters so that overflow is tested too."""
    joined = " ".join(samples)
    repeated = " ".join([joined] * (1 + 20_000 // len(joined)))
    return [*samples, repeated]
