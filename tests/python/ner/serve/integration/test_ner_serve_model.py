"""The served model and the version in `models/`; the container `serve-integration` runs it."""

import json

import pytest

from mesh.core.errors import MeshError
from mesh.core.workspace import WorkspaceSettings
from ner.project import PROJECT
from ner.schema import Request
from ner.serve.model import NerModel


@pytest.fixture(scope="module")
def directory():
    try:
        return WorkspaceSettings().current_model(PROJECT)
    except MeshError as error:
        pytest.skip(str(error))


def test_stored_predictions_are_repeated(directory):
    model = NerModel(directory)
    model.load()
    inputs, params, expected = (
        json.loads((directory / "test_files" / f"{name}.json").read_text())
        for name in ("inputs", "inference_params", "predictions")
    )
    request = {"configuration": params, "inputs": [{"document": text} for text in inputs]}
    outputs = model.predict(Request.model_validate(request)).model_dump(mode="json")["outputs"]
    assert len(outputs) == len(expected) > 1
    for output, stored in zip(outputs, expected, strict=True):
        pairs = zip(output["entities"], stored["entities"], strict=True)
        for entity, before in pairs:
            assert entity == before | {"score": pytest.approx(before["score"], abs=0.01)}
    assert model.bio()["model_card"]["project"] == "ner"
