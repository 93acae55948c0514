"""Contents of reports, without a registry and a training; some of their texts are hostile."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

from mesh.core.card import BaseModelSource, ModelCard
from mesh.core.manifest import Manifest
from mesh.core.project import Project
from mesh.data.dataset import ClassifiedText
from mesh.lifecycle.about import About
from mesh.lifecycle.recipe import Recipe
from mesh.lifecycle.training.details import class_details
from mesh.registry.base import ModelVersion
from mesh.report.content import Content

HOSTILE = "</td><script>alert(1)</script><img src=//evil.example/x onerror=alert(2)>\x00\x1b \"'$x_{$ &amp;"

Make = Callable[..., Content]

ABOUT = About(
    intended_use=HOSTILE, unfit=(HOSTILE,), limits=(HOSTILE,), data=HOSTILE, data_licence=HOSTILE
)


def scores(labels: tuple[str, ...]) -> dict[str, Any]:
    table = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 5}
    return {
        "rows": 10,
        "accuracy": 0.5,
        "macro_f1": 0.5,
        "per_label": dict.fromkeys(labels, table),
        "per_domain": {HOSTILE: {"rows": 10, "accuracy": 0.5}},
        "per_language": {"en": {"rows": 10, "accuracy": 0.5}},
        "per_length": {"0 to 9 words": {"rows": 10, "accuracy": 0.5}},
    }


@pytest.fixture
def make() -> Make:
    """Make a compiled version whose labels, texts and origins have hostile names."""

    def make(number: int = 2, **changes: Any) -> Content:
        labels = (HOSTILE, "good")
        rows = [
            ClassifiedText(text=f"{one} {HOSTILE}", label=HOSTILE, language="en", domain="x")
            for one in range(10)
        ]
        right = number  # So many rows are predicted rightly.
        probabilities = np.array([[0.9, 0.1]] * right + [[0.2, 0.8]] * (10 - right))
        case = {
            "text": 0,
            "call": "alone",
            "characters": 9,
            "overflow_tokens": 0,
            "max_abs_difference": 1e-7,
            "cosine": 1.0,
            "passed": True,
        }
        card = ModelCard(
            project="tiny",
            model_type="compiled",
            description=HOSTILE,
            base_model=BaseModelSource(uri=f"hf://org/name@{number}", digest="0"),
            trained_version=f"TINY-TRAINED-{number}",
            data_version="d1",
            settings={"compile": {"task": "text-classification", HOSTILE: HOSTILE}},
            metrics={
                "test": scores(labels),
                "held_out": {HOSTILE: {"rows": 3, "accuracy": 0.3}},
                "parity": {
                    "backend": "onnx",
                    "tolerances": {"max_abs_difference": 1e-4, "min_cosine": 0.9},
                    "max_abs_difference": 1e-7,
                    "min_cosine": 1.0,
                    "cases": [case],
                },
            },
            code_revision=HOSTILE,
            fingerprint="f",
            environment={HOSTILE: HOSTILE},
            made_from={f"setting {HOSTILE}": number},
        )
        version = ModelVersion(
            name="TINY-COMPILED",
            version=number,
            card=card,
            manifest=Manifest(files=()),
            created=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
            aliases=(),
            attachments={},
        )
        epochs = [
            {"epoch": one, "loss": 1 / one, "eval_loss": 1 / one, "eval_score": one / 3}
            for one in (1, 2, 3)
        ]
        trained = card.model_copy(update={"model_type": "trained", "metrics": {"epochs": epochs}})
        content = Content(
            version=version,
            trained=replace(version, name="TINY-TRAINED", card=trained),
            recipe=Recipe(
                project=Project(name="tiny", description="", port=1),
                task="text-classification",
                configuration=BaseModel,
                reference=lambda _: lambda documents, _params: list(documents),
                about=ABOUT,
            ),
            details=class_details(rows, labels, np.zeros(10, dtype=int), probabilities),
            documents=[HOSTILE],
            validation=None,
            load_tests=(),
            lineage={
                "name": version.reference,
                "kind": "compiled",
                HOSTILE: HOSTILE,
                "made_from": [
                    {"name": f"hf://org/name@{number}", "kind": "base", "made_from": []},
                    {"name": HOSTILE, "kind": "features", "missing": HOSTILE},
                ],
            },
        )
        return replace(content, **changes)

    return make
