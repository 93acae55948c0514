"""The modules that decide what each step makes, by their names: what they import decides too.

The modules and packages that don't decide, and would count since they are imported, are listed with
the reason for each; `*` stands for any characters. Standard library only: the plan of a change
reads this on any interpreter.
"""

from collections.abc import Mapping
from typing import Literal

NOT_DECIDING: Mapping[str, str] = {
    "*.about": "what is said of versions, and asked of those that replace prod",
    "*.project": "names, port and steps",
    "mesh": "switches off reports of use",
    "mesh.compile.backends": "names what serves a model",
    "mesh.compile.torch_device": "finds devices, which settings name",
    "mesh.core.card": "describes a version",
    "mesh.core.data_names": "names versions of data",
    "mesh.core.devices": "names devices, which are inputs themselves",
    "mesh.core.digest": "digests of what decides",
    "mesh.core.disk": "room on disks",
    "mesh.core.errors": "words of errors",
    "mesh.core.files": "files are complete or absent, whatever is in them",
    "mesh.core.inputs": "names what decides",
    "mesh.core.locks": "keeps other processes out",
    "mesh.core.manifest": "lists files",
    "mesh.core.passes": "ends computations or has them wait",
    "mesh.core.precisions": "names precisions, which are inputs themselves",
    "mesh.core.program": "starts and ends of programs",
    "mesh.core.progress": "shows progress",
    "mesh.core.roots": "names what decides",
    "mesh.core.samples": "reads samples, whose content is an input itself",
    "mesh.core.settings": "reads settings, whose values are inputs themselves",
    "mesh.core.status": "compares inputs",
    "mesh.core.tracing": "watches programs",
    "mesh.core.urls": "hides passwords",
    "mesh.core.workspace": "where files lie",
    "mesh.data.manifest": "describes a version of data",
    "mesh.data.preview": "shows rows",
    "mesh.data.settings": "where versions of data lie",
    "mesh.data.sources": "finds files, whose names, formats and content are inputs themselves",
    "mesh.data.status": "compares inputs",
    "mesh.data.store": "keeps versions of data, whose content is an input itself",
    "mesh.lifecycle.base_model": "finds base models, whose files are inputs themselves",
    "mesh.lifecycle.results": "names versions, whose files are inputs themselves",
    "mesh.lifecycle.status": "compares inputs",
    "mesh.lifecycle.training.figures": "watches trainings",
    "mesh.lifecycle.training.recording": "records figures of trainings",
    "mesh.lifecycle.training.reference": "keeps predictions, with which others are compared",
    "mesh.lifecycle.training.settings": "settings, whose values are inputs themselves",
    "mesh.lifecycle.version": "puts together inputs and results",
    "mesh.registry.*": "keeps versions, whatever they are",
    "mesh.serve.facts": "counts what is in predictions",
    "mesh.serve.request_limits": "bounds requests",
    "pydantic_settings": "reads settings, whose values are inputs themselves",
}
"""Modules, and packages of others, that are not part of any closure, with the reason for each.

Modules that only they import are not part either.
"""

INGESTING = ("mesh.lifecycle.ingest",)
"""What decides raw data, beside the class of its rows."""

REGISTERING = ("mesh.lifecycle.register",)
"""What decides features, beside the class of their rows."""

NOT_REGISTERING: Mapping[str, str] = {
    "mesh.lifecycle.ingest": "decides raw data, whose content is an input itself",
}

PREDICTING = ("mesh.lifecycle.recipe",)
"""What decides the predictions of an uncompiled model, beside the project's recipe."""

TRAINING = ("mesh.lifecycle.training.fine_tuning",)
"""What decides a fine-tuned model, beside the above."""

NOT_TRAINING: Mapping[str, str] = {
    "*.extra_files": "adds to compiled models",
    "mesh.compile.artifact": "loads compiled models",
    "mesh.data.splitting": "decides features, whose content is an input itself",
    "mesh.lifecycle.languages": "adds to compiled models",
}

TRAINER_PACKAGES = ("accelerate",)
"""What the Trainer of transformers imports."""

NOT_COMPILING: Mapping[str, str] = {
    "mesh.compile.loaders.*": "load and run what is compiled",
    "mesh.compile.text_model": "runs what is compiled",
    "mesh.compile.tokenizer": "reads texts for what is compiled",
}

COMPILER_PACKAGES: Mapping[str, tuple[str, ...]] = {
    # torch's exporter imports them.
    "onnx": ("onnx", "onnxscript"),
    "openvino": ("onnx", "onnxscript"),
    # One of the first two is imported by its name, and runs the compiler of the same generation.
    "neuron": ("torch_neuronx", "torch_neuron", "neuronxcc", "neuroncc"),
}
"""By backend, what compiles without an import that can be seen."""

DEFAULT_BACKEND: Literal["onnx"] = "onnx"
"""What compiles where no setting names another backend."""

OPENS_BY_NAME = "mesh/compile/artifact.py"
"""The file of the module that runs a compiled model by its backend's loader."""


def adding(package: str) -> tuple[str, ...]:
    """What may add files to a project's compiled network, where its recipe imports it."""
    return f"{package}.extra_files", "mesh.lifecycle.languages"


def compiling(backend: str) -> tuple[str, ...]:
    """What decides a compiled network."""
    return "mesh.compile.compiler", f"mesh.compile.compilers.{backend}"


def loading(backend: str) -> str:
    """What runs a compiled network, imported by its name."""
    return f"mesh.compile.loaders.{backend}"
