"""The served model and the version in `models/`; the container `serve-integration` runs it."""

import json

import pytest

from mesh.core.errors import MeshError
from mesh.core.workspace import WorkspaceSettings
from sentiment.labels import LABELS
from sentiment.project import PROJECT
from sentiment.schema import Request
from sentiment.serve.model import SentimentModel


@pytest.fixture(scope="module")
def directory():
    try:
        return WorkspaceSettings().current_model(PROJECT)
    except MeshError as error:
        pytest.skip(str(error))


def test_stored_predictions_are_repeated(directory):
    model = SentimentModel(directory)
    model.load()
    inputs, params, expected = (
        json.loads((directory / "test_files" / f"{name}.json").read_text())
        for name in ("inputs", "inference_params", "predictions")
    )
    request = {"configuration": params, "inputs": [{"document": text} for text in inputs]}
    outputs = model.predict(Request.model_validate(request)).model_dump(mode="json")["outputs"]
    assert len(outputs) == len(expected) > 1
    for output, stored in zip(outputs, expected, strict=True):
        assert output["label"] == stored["label"]
        for label in LABELS:
            assert output[f"{label}_prob"] == pytest.approx(stored[f"{label}_prob"], abs=0.01)
    assert model.bio()["model_card"]["project"] == "sentiment"
