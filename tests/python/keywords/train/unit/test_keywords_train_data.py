import importlib.resources

import dotenv
import pytest

from keywords.recipe import RECIPE
from keywords.train.train import main
from mesh.serve.documents import Document


def test_samples_are_documents_that_the_server_takes():
    samples = RECIPE.read_samples(None)
    assert len(samples) == len(set(samples)) > 1
    for sample in samples:
        assert Document(document=sample).document.strip()


@pytest.mark.parametrize(
    ("environment", "address"), [("dev", "package://"), ("prod", "hf://sentence-transformers/")]
)
def test_environment_names_a_base_model(environment, address):
    folder = importlib.resources.files("keywords.train") / "config"
    values = dotenv.dotenv_values(str(folder / f"{environment}.env"))
    assert (values["TRAIN_BASE_MODEL"] or "").startswith(address)


def test_unknown_scheme_of_a_base_model_is_refused(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("MESH_WORKSPACE", str(tmp_path))
    assert main.main(["--base-model", "ftp://weights"]) == 1
    assert "'ftp://weights' is not the address of a base model" in capsys.readouterr().err
