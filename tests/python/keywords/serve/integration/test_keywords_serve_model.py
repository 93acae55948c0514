"""The served model and the version in `models/`; the container `serve-integration` runs it."""

import json

import pytest

from keywords.project import PROJECT
from keywords.schema import Request
from keywords.serve.model import KeywordsModel
from mesh.core.errors import MeshError
from mesh.core.workspace import WorkspaceSettings


@pytest.fixture(scope="module")
def directory():
    try:
        return WorkspaceSettings().current_model(PROJECT)
    except MeshError as error:
        pytest.skip(str(error))


def test_stored_predictions_are_repeated(directory):
    model = KeywordsModel(directory)
    model.load()
    inputs, params, expected = (
        json.loads((directory / "test_files" / f"{name}.json").read_text())
        for name in ("inputs", "inference_params", "predictions")
    )
    request = {"configuration": params, "inputs": [{"document": text} for text in inputs]}
    outputs = model.predict(Request.model_validate(request)).model_dump(mode="json")["outputs"]
    assert len(outputs) == len(expected) > 1
    for output, prediction in zip(outputs, expected, strict=True):
        found, stored = (
            {item["keyword_token"]: item["keyword_score"] for item in each["predicted_document"]}
            for each in (output, prediction)
        )
        assert found == pytest.approx(stored, abs=0.01)
    assert model.bio()["model_card"]["project"] == "keywords"
