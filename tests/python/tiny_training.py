"""Tiny projects: texts of a few words, a base model with one layer, and the programs' functions."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import tokenizers
from pydantic import BaseModel, ConfigDict
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from mesh.core.card import ARTIFACTS
from mesh.core.digest import sha256_file
from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings
from mesh.data.dataset import AnnotatedText, ClassifiedText, Dataset, Entity
from mesh.data.settings import DataSettings
from mesh.lifecycle.ingest import ingest
from mesh.lifecycle.ingest_settings import IngestSettings
from mesh.lifecycle.recipe import Recipe, Training
from mesh.lifecycle.register import RegisterSettings, register
from mesh.lifecycle.training.fine_tuning import fine_tune
from mesh.lifecycle.training.settings import FineTuneSettings
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

LABELS = ("bad", "good")
JUDGEMENTS = {"bad": ("awful", "dull", "poor"), "good": ("fine", "great", "superb")}
THINGS = [f"thing{number}" for number in range(60)]
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
TINY = Project(name="tiny", description="Texts that judge things.", port=1)


class Opinion(ClassifiedText):
    label: Literal["bad", "good"]


class Owner(Entity):
    label: Literal["OWNER"]


class Belongings(AnnotatedText):
    entities: tuple[Owner, ...]


class Logits(BaseModel):
    """Responses with what `predictor` predicts."""

    outputs: list[list[float]]


class NoChoices(BaseModel):
    model_config = ConfigDict(extra="forbid")


def predictor(model: Any) -> Any:
    def predict(documents: Sequence[str], params: Any) -> list[Any]:
        return [[round(float(value), 4) for value in row] for row in model.logits(documents)]

    return predict


def compiled(folder: Path) -> Any:
    from mesh.compile.artifact import CompiledModel

    return predictor(CompiledModel.load(folder))


def tag_predictor(model: Any) -> Any:
    def predict(documents: Sequence[str], params: Any) -> list[Any]:
        return [
            [round(float(value), 4) for value in found.logits.flatten()]
            for found in model.token_logits(documents)
        ]

    return predict


def compiled_tags(folder: Path) -> Any:
    from mesh.compile.artifact import CompiledModel

    return tag_predictor(CompiledModel.load(folder))


def weights(tiny: "Tiny") -> str:
    """The digest of what was trained last."""
    return sha256_file(tiny.output("train") / ARTIFACTS / "model.safetensors")


def differences(expected: Any, actual: Any, tolerance: float) -> list[str]:
    pairs = zip(expected, actual, strict=True)
    return [f"{new} is not {old}" for old, new in pairs if abs(old - new) > tolerance]


def write_recipe(folder: Path) -> Path:
    """The recipe of a tiny project as a file, by which its processes import it from a folder."""
    file = folder / TINY.package / "recipe.py"
    file.parent.mkdir(parents=True)
    file.write_text("from tiny_training import OPINIONS as RECIPE\n")
    return file


def make_base(folder: Path, **configuration: Any) -> Path:
    """An untrained network without a head, in the format of Hugging Face."""
    import torch
    import transformers

    words = [*SPECIAL, *THINGS, *(word for group in JUDGEMENTS.values() for word in group), "is"]
    tokenizer = tokenizers.Tokenizer(
        WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
        initializer_range=0.3,
        **configuration,
    )
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


class Tiny:
    """A tiny project in a workspace."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self.workspace = WorkspaceSettings(workspace=folder)
        self.data = DataSettings(root=str(folder / "data"))
        self.registry_settings = RegistrySettings(
            uri=f"sqlite:///{folder}/registry.db", artifacts=str(folder / "artifacts")
        )
        self.base = folder / "base"
        self.recipe = recipe
        self._samples = folder / "samples.json"

    def prepare(self, rows: Sequence[dict[str, Any]]) -> None:
        """Make the base model, and features ready to train on."""
        folder = self.workspace.workspace
        folder.mkdir()
        make_base(self.base)
        assert self.recipe.training
        dataset = self.recipe.training.dataset
        self._samples.write_text(json.dumps([row["text"] for row in rows[:2]]))
        source = folder / "rows.jsonl"
        source.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        ingest(dataset, IngestSettings(source=str(source)), self.workspace, self.data)
        # These texts share most of their words.
        register(
            dataset,
            RegisterSettings(near_duplicate=1, related=1, other_language=1, seed=2),
            self.workspace,
            self.data,
        )

    def settings(self, **settings: Any) -> dict[str, Any]:
        return {
            "base_model": str(self.base),
            "samples": self._samples,
            "epochs": 3,
            "learning_rate": 0.01,
            "head_learning_rate": 0.01,
            "batch_size": 16,
            "max_length": 128,
            "device": "cpu",
            **settings,
        }

    def change_training(self, **fields: Any) -> None:
        """Give the recipe other ways to train."""
        assert self.recipe.training
        self.recipe = replace(self.recipe, training=replace(self.recipe.training, **fields))

    def train(self, **settings: Any) -> None:
        assert self.recipe.training
        fine_tune(
            self.recipe,
            self.recipe.training,
            FineTuneSettings(**self.settings(**settings)),
            self.workspace,
            self.data,
            self.registry_settings,
        )

    @property
    def registry(self) -> ModelRegistry:
        return open_registry(self.registry_settings)

    def output(self, step: str) -> Path:
        return self.workspace.output(TINY, step)


OPINIONS = Recipe(
    project=TINY,
    task="text-classification",
    inference_params={},
    configuration=NoChoices,
    reference=predictor,
    compiled=compiled,
    differences=differences,
    response=Logits,
    training=Training(
        dataset=Dataset(project=TINY, row=Opinion, samples="none:none"), labels=LABELS
    ),
)
"""Texts call things good or bad."""
OPINION_ROWS: list[dict[str, Any]] = [
    {"text": f"{thing} is {word}", "label": label, "language": "en", "domain": "review"}
    for thing in THINGS
    for label, group in JUDGEMENTS.items()
    for word in group
]

OWNERS = Recipe(
    project=TINY,
    task="token-classification",
    inference_params={},
    configuration=NoChoices,
    reference=tag_predictor,
    compiled=compiled_tags,
    differences=differences,
    overflow="window",
    stride=16,
    training=Training(
        dataset=Dataset(project=TINY, row=Belongings, samples="none:none"), labels=("OWNER",)
    ),
)
"""The words before `is` are an owner of one or two words."""
OWNER_ROWS: list[dict[str, Any]] = [
    {
        "text": f"{word} {owner} is {thing}",
        "entities": [{"start": len(word) + 1, "end": len(f"{word} {owner}"), "label": "OWNER"}],
        "language": "en",
        "domain": "review",
    }
    for thing, other in zip(THINGS, reversed(THINGS), strict=True)
    for word in ("fine", "great", "poor")
    for owner in (thing, f"{thing} {other}")
]
