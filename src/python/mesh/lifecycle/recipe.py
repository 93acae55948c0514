"""The facts about a project that the generic steps need."""

import importlib
import random
from collections.abc import Callable, Hashable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from mesh.compile.source import spec_for
from mesh.compile.text_model import TextModel
from mesh.core.devices import CPU
from mesh.core.errors import MeshError, UsageError
from mesh.core.project import Project
from mesh.core.samples import read_samples
from mesh.lifecycle.about import About, PromoteIf
from mesh.lifecycle.extra_files import ExtraFiles

if TYPE_CHECKING:
    # Rows don't matter to projects that train nothing.
    from mesh.data.dataset import Dataset, TextRow

Predict = Callable[[Sequence[str], Mapping[str, Any]], list[Any]]
"""From documents and inference parameters to one JSON-serialisable prediction per document."""


Augment = Callable[[Any, random.Random], Any]
"""Varies a training row, with the given source of random numbers."""


Score = Callable[[TextModel, Sequence[Any]], dict[str, Any]]
"""From a network and labelled rows to JSON-serialisable scores."""


@dataclass(frozen=True)
class HeldOut:
    """Labelled rows of a project that no version is trained on.

    Args:
        file: JSON Lines of a package, as `package:file`.
        row: the type of the rows.
        score: scores a network on them; None scores it as on the test split.
    """

    file: str
    row: type["TextRow"]
    score: Score | None = None


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a project's base model is fine-tuned.

    Args:
        dataset: the training data.
        labels: of texts, or of entities, in the order of the new layer's numbers.
        prepare: changes the base model's copy, a folder, before it is trained.
        augment: varies training rows.
        held_out: sets of the project's own that each version is scored on, by their names.
        calibration: rows unlike the training data, on which the temperature of the probabilities
            is fitted; without one in a language of the data, it is fitted on the validation split.
    """

    dataset: "Dataset"
    labels: tuple[str, ...]
    prepare: Callable[[Path], None] | None = None
    augment: Augment | None = None
    held_out: Mapping[str, HeldOut] = field(default_factory=dict)
    calibration: HeldOut | None = None

    def row_of(self, fields: Mapping[str, Any]) -> Any:
        """A row of features without its id and cluster."""
        row = self.dataset.row
        return row.model_validate({name: fields[name] for name in row.model_fields})


def field_differences(expected: Any, actual: Any, tolerance: float) -> list[str]:
    """Compare two predictions for a document, JSON objects with the same fields.

    Returns:
        One sentence for each field whose numbers differ by more than `tolerance`, or whose other
        values differ.
    """
    return [
        f"{name} is {actual[name]!r} instead of {value!r}"
        for name, value in expected.items()
        if not (
            abs(actual[name] - value) <= tolerance
            if isinstance(value, float)
            else actual[name] == value
        )
    ]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a trained project is registered, compiled and checked.

    Args:
        project: its declaration.
        task: the network's task.
        configuration: validates inference parameters.
        reference: makes a predictor from the uncompiled network.
        compiled: makes a predictor from a `compiled/` folder, like the server; without it,
            `reference` makes one from the compiled network.
        differences: compares a stored and a new prediction; returns one sentence for each
            difference above a tolerance.
        answers: what a prediction says, without its scores: a label, entities or keywords. In int8,
            most of it must stay the same; None asks for no differences.
        inference_params: parameters for predicting the samples.
        base_model: the default of the setting `TRAIN_BASE_MODEL`.
        overflow: truncate texts that are too long for one pass, or join the results of windows.
        stride: tokens that neighbouring windows share.
        training: how the base model is fine-tuned; None if it is registered unchanged.
        extra_files: writes files that the server needs beside the network.
        response: the type of the server's responses. With it, a fine-tuned version keeps the facts of
            its predictions for the test split, with which those of its server are compared.
        about: what people need to know before they use a version.
        promote_if: the conditions under which a version becomes `prod`; None asks for nothing.
    """

    project: Project
    task: Literal["sentence-embedding", "text-classification", "token-classification"]
    configuration: type[BaseModel]
    reference: Callable[[TextModel], Predict]
    compiled: Callable[[Path], Predict] | None = None
    differences: Callable[[Any, Any, float], list[str]] = field_differences
    answers: Callable[[Any], Set[Hashable]] | None = None
    inference_params: Mapping[str, Any] = field(default_factory=dict)
    base_model: str | None = None
    overflow: Literal["truncate", "window"] = "truncate"
    stride: int = 0
    training: Training | None = None
    extra_files: type[ExtraFiles] | None = None
    response: type[BaseModel] | None = None
    about: About | None = None
    promote_if: PromoteIf | None = None

    @property
    def modules(self) -> tuple[str, ...]:
        """The project's modules that decide an uncompiled version, together with their imports."""
        training = self.training
        functions = (
            self.reference,
            training and training.prepare,
            training and training.augment,
        )
        return tuple({function.__module__: None for function in functions if function})

    @property
    def declared(self) -> dict[str, Any]:
        """The fields that decide how a network is compiled and run."""
        return {"task": self.task, "overflow": self.overflow, "stride": self.stride}

    def load_reference(self, folder: Path, device: str = CPU) -> TextModel:
        """The uncompiled network in a folder; it reads long texts like the compiled one.

        Args:
            device: `cpu`, `cuda`, or `auto` for a GPU where there is one.

        Raises:
            MeshError: it can't be loaded, or its outputs are not those of the task.
        """
        from mesh.compile.torch_model import load_reference

        spec = spec_for(
            folder, task=self.task, backend="generic", overflow=self.overflow, stride=self.stride
        )
        return load_reference(folder, spec, device)

    def load_compiled(self, folder: Path) -> Predict:
        """The predictor of the compiled model in a folder `compiled/`.

        Raises:
            MeshError: a file is missing or damaged.
        """
        if self.compiled:
            return self.compiled(folder)
        from mesh.compile.artifact import CompiledModel

        return self.reference(CompiledModel.load(folder))

    def read_samples(self, path: Path | None = None) -> list[str]:
        """The project's sample documents, or those of a JSON file.

        Raises:
            MeshError: the file is missing, or is not a list of at least one non-empty text.
        """
        return read_samples(path or self.project.samples)


def load_recipe(project: Project) -> Recipe:
    """The recipe of a trained project.

    Raises:
        UsageError: the project trains no model.
        MeshError: its `recipe.py` declares no recipe.
    """
    if project.kind != "trained":
        raise UsageError(f"{project.name} has no recipe: its code is its model.")
    recipe = importlib.import_module(f"{project.package}.recipe").RECIPE
    if not isinstance(recipe, Recipe):
        raise MeshError(f"{project.package}/recipe.py must declare a Recipe as RECIPE.")
    return recipe
