import importlib.resources

import dotenv
import pytest

from ner.recipe import RECIPE
from ner.schema import Request
from ner.train.train import main


def test_samples_are_documents_that_the_server_takes():
    samples = RECIPE.read_samples()
    assert len(samples) == len(set(samples)) > 1
    request = Request.model_validate({"inputs": [{"document": sample} for sample in samples]})
    assert all(item.document.strip() for item in request.inputs)


@pytest.mark.parametrize(
    ("environment", "address"), [("dev", "package://"), ("prod", "hf://sentence-transformers/")]
)
def test_environment_names_a_base_model(environment, address):
    folder = importlib.resources.files("ner.train") / "config"
    values = dotenv.dotenv_values(str(folder / f"{environment}.env"))
    assert (values["TRAIN_BASE_MODEL"] or "").startswith(address)


def test_training_without_features_says_what_to_run(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    assert main.main([]) == 1
    assert "run register:register first" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
