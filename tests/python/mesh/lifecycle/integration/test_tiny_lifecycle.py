"""trace, validate and upload of tiny trained versions, with the project's regression suite."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from folder_names import ODD_NAME
from mesh.compile.artifact import CompiledModel
from mesh.compile.parity import ParityReport
from mesh.compile.spec import LOWER_TOLERANCES, Tolerances
from mesh.core.card import COMPILED
from mesh.core.errors import MeshError, UsageError
from mesh.data.settings import DataSettings
from mesh.drift.reference import REFERENCE_FILE
from mesh.lifecycle.about import PromoteIf
from mesh.lifecycle.comparison import score_same_rows
from mesh.lifecycle.compile_download import DownloadSettings, download
from mesh.lifecycle.compile_records import Compilation, Downloaded
from mesh.lifecycle.compile_settings import CompileSettings
from mesh.lifecycle.compile_trace import trace
from mesh.lifecycle.compile_upload import UploadSettings, upload
from mesh.lifecycle.compile_validate import ValidateSettings, validate
from mesh.lifecycle.quantized_scores import compare_scores
from mesh.lifecycle.serving_measurement import BATCHES
from mesh.report.content import read_report
from mesh.report.page import report_page

SUITE = """
def test_good_is_likelier_for_praise(regression):
    [[bad, good]] = regression.predict(["thing5 is superb"], {})
    assert good > bad

def test_of_the_project(regression):
    assert len(regression.stored.inputs) == EXPECTED
"""


@pytest.fixture
def traced(tiny: Any) -> Any:
    tiny.train()
    download(tiny.recipe, DownloadSettings(), tiny.workspace, tiny.registry_settings)
    trace(tiny.recipe, CompileSettings(), tiny.workspace, tiny.registry_settings)
    return tiny


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's optional module `tiny.compile.regression_suite`."""
    code = tmp_path / ODD_NAME / "code"
    package = code / "tiny/compile"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(code)
    # It may be imported from another test's folder.
    for name in [name for name in sys.modules if name.partition(".")[0] == "tiny"]:
        sys.modules.pop(name)
    return package / "regression_suite.py"


def report(tiny: Any) -> Any:
    return json.loads((tiny.output("validate") / "report.json").read_text())


@pytest.mark.parametrize(("backend", "said"), [("onnx", False), ("generic", True)])
def test_compiling_says_first_what_serves_the_backend(
    tiny: Any, caplog: pytest.LogCaptureFixture, backend: Any, said: bool
) -> None:
    tiny.train()
    download(tiny.recipe, DownloadSettings(), tiny.workspace, tiny.registry_settings)
    caplog.clear()
    trace(tiny.recipe, CompileSettings(backend=backend), tiny.workspace, tiny.registry_settings)
    assert ("`mesh up` serves it" in caplog.messages[0]) is said


def test_a_version_is_checked_in_each_of_its_precisions(
    tiny: Any, suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = pytest.importorskip("mesh.compile.loaders.openvino", exc_type=ImportError)
    # Without the instructions for it, OpenVINO computes in float32 where it is asked for bfloat16.
    monkeypatch.setattr(loader, "precisions", lambda: ("bfloat16", "float32"))
    suite.write_text(SUITE.replace("EXPECTED", "3"))
    tiny.train()
    settings = (tiny.workspace, tiny.registry_settings)
    download(tiny.recipe, DownloadSettings(), *settings)
    wanted = CompileSettings(backend="openvino", precisions="float32,bfloat16")
    trace(tiny.recipe, wanted, *settings)
    compiled = Compilation.read(tiny.output("compile"))
    parity = ParityReport.model_validate(compiled.parity)
    assert list(parity.by_precision) == compiled.spec["precisions"] == ["float32", "bfloat16"]

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(loader, "precisions", lambda: ("float32",))
        with pytest.raises(MeshError, match="computes in float32 on this processor, not in bfloat"):
            validate(tiny.recipe, ValidateSettings(), tiny.workspace, tiny.data)
    validate(tiny.recipe, ValidateSettings(tolerance=0.05), tiny.workspace, tiny.data)
    found = report(tiny)
    names = {case["name"] for case in found["cases"]}
    assert found["precisions"] == ["float32", "bfloat16"]
    assert {"test_of_the_project[bfloat16]", "test_of_the_project[float32]"} < names
    assert len([name for name in names if "bfloat16" in name]) * 2 == len(names)

    unchecked = parity.model_copy(update={"lower": ()}).model_dump(mode="json")
    compiled.model_copy(update={"parity": unchecked}).write(tiny.output("compile"))
    with pytest.raises(MeshError, match="may compute in bfloat16, but .* checked in float32"):
        upload(tiny.recipe, UploadSettings(), *settings)
    compiled.write(tiny.output("compile"))
    upload(tiny.recipe, UploadSettings(), *settings)
    card = tiny.registry.get("TINY-COMPILED-1").card
    assert card.metrics["parity"]["lower"]
    # What a server does by default is what was measured.
    assert card.settings["serving"] == found["serving"]
    assert found["serving"]["max_batch"] in BATCHES


def trace_in_int8(tiny: Any) -> None:
    tiny.train()
    download(tiny.recipe, DownloadSettings(), tiny.workspace, tiny.registry_settings)
    wanted = CompileSettings(precisions="float32,int8")
    trace(tiny.recipe, wanted, tiny.workspace, tiny.registry_settings)


def scored(tiny: Any) -> Any:
    """The case of the report that compares scores."""
    [case] = [case for case in report(tiny)["cases"] if "scores_of_the_test" in case["name"]]
    return case


def test_a_version_in_int8_is_scored_on_the_test_split(
    tiny: Any,
    suite: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    suite.write_text("")
    tiny.recipe = replace(tiny.recipe, answers=lambda logits: {int(np.argmax(logits))})
    trace_in_int8(tiny)
    with monkeypatch.context() as other_build:
        other_build.setitem(sys.modules, "mesh.lifecycle.quantized_scores", None)
        with pytest.raises(MeshError, match="was built without .* src/python/tiny/compile/BUILD"):
            validate(tiny.recipe, ValidateSettings(), tiny.workspace, tiny.data)
    assert not tiny.output("validate").exists()

    version = Compilation.read(tiny.output("compile")).source_version(tiny.output("download"))
    remote = DataSettings(root="abfs://data")
    case = compare_scores(tiny.recipe, remote, version, tiny.output("compile") / COMPILED, "int8")
    assert case.outcome == "skipped"
    assert "abfs://data/tiny/features needs a package that is not installed" in case.message
    elsewhere = DataSettings(root=str(tmp_path / "no data"))
    validate(tiny.recipe, ValidateSettings(), tiny.workspace, elsewhere)
    assert scored(tiny)["outcome"] == "skipped"
    assert "only parity and the stored samples were checked" in scored(tiny)["message"]
    assert "the scores in int8 were not compared with those in float32: " in caplog.text

    validate(tiny.recipe, ValidateSettings(), tiny.workspace, tiny.data)
    assert scored(tiny)["outcome"] == "passed"
    accuracy = tiny.registry.get("TINY-TRAINED-1").card.metrics["test"]["accuracy"]
    assert re.search(
        rf"accuracy is [01]\.\d{{4}} in int8 and {accuracy:.4f} in float32", scored(tiny)["message"]
    )
    names = {case["name"] for case in report(tiny)["cases"]}
    assert "test_sample_is_predicted_as_by_the_uncompiled_model[float32-0]" in names
    assert "test_sample_is_predicted_as_by_the_uncompiled_model[int8-0]" not in names
    assert "test_samples_have_the_answers_of_the_uncompiled_model[int8]" in names

    upload(tiny.recipe, UploadSettings(), tiny.workspace, tiny.registry_settings)
    version = tiny.registry.get("TINY-COMPILED-1")
    [lower] = version.card.metrics["parity"]["lower"]
    assert lower["precision"] == "int8"
    page = report_page(read_report(tiny.registry, tiny.data, version.reference))
    assert "The network ran on CPUExecutionProvider in int8." in page
    assert scored(tiny)["message"] in page


def test_a_network_that_quantization_ruins_is_refused_by_its_scores(
    tiny: Any, suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite.write_text("")
    # Each channel keeps the largest of its weights alone, and neither parity nor samples show it.
    monkeypatch.setattr("mesh.compile.compilers.quantization.WEIGHT_LEVELS", 0.5)
    anything = Tolerances(max_abs_difference=1e9, min_cosine=1e-9)
    monkeypatch.setitem(LOWER_TOLERANCES, "int8", anything)
    tiny.recipe = replace(tiny.recipe, answers=lambda _: {"the same"})
    trace_in_int8(tiny)
    with pytest.raises(
        MeshError, match=r"scores in int8 are too low: on the \d+ rows.*leave int8 out"
    ):
        validate(tiny.recipe, ValidateSettings(), tiny.workspace, tiny.data)
    assert scored(tiny)["outcome"] == "failed"
    with pytest.raises(MeshError, match=r"validation failed \(scores_of_the_test_split\[int8\]\)"):
        upload(tiny.recipe, UploadSettings(), tiny.workspace, tiny.registry_settings)


def test_validated_model_is_registered(traced: Any, suite: Path) -> None:
    suite.write_text(SUITE.replace("EXPECTED", "3"))
    validate(traced.recipe, ValidateSettings(), traced.workspace, traced.data)
    cases = {case["name"].partition("[")[0] for case in report(traced)["cases"]}
    assert {"test_good_is_likelier_for_praise", "test_of_the_project"} < cases
    upload(traced.recipe, UploadSettings(alias="dev"), traced.workspace, traced.registry_settings)
    version = traced.registry.get("TINY-COMPILED:dev")
    trained = traced.registry.get("TINY-TRAINED-1")
    assert version.card.trained_version == trained.reference
    assert version.card.data_version == trained.card.data_version
    assert version.card.metrics["regression_cases"] == len(report(traced)["cases"])
    for scores in ("test", "held_out", "temperature"):
        assert version.card.metrics[scores] == trained.card.metrics[scores]
    kept = [
        entry
        for one in (version, trained)
        for entry in one.manifest.files
        if entry.path == REFERENCE_FILE
    ]
    assert len(kept) == 2
    assert kept[0] == kept[1]
    for one in (version, trained):
        # The scores of a card without any are computed.
        bare = replace(one, card=one.card.model_copy(update={"metrics": {}}))
        same = score_same_rows(traced.recipe, traced.registry, traced.data, trained, bare)
        assert set(same.scores) == {"accuracy", "macro_f1"}
        assert {new == old for new, old in same.scores.values()} == {True}
        assert {each.kind for each in same.slices} == {"label", "domain", "language", "length"}
    found = read_report(traced.registry, traced.data, version.reference)
    assert found.content.details
    assert found.content.documents
    page = report_page(found)
    assert len(page) < 1_500_000
    for part in (
        "Loss after each epoch",
        "confusion matrix of texts",
        "The network ran on CPUExecutionProvider in float32.",
        "Each case",
        "Regression suite",
    ):
        assert part in page


def test_alias_with_conditions_is_moved_later(tiny: Any) -> None:
    recipe = replace(tiny.recipe, promote_if=PromoteIf(scores={}))
    with pytest.raises(UsageError, match="COMPILE_UPLOAD_ALIAS can't be prod: tiny declares"):
        upload(recipe, UploadSettings(alias="prod"), tiny.workspace, tiny.registry_settings)


def test_next_step_takes_the_version_that_the_step_before_found(
    traced: Any, tmp_path: Path
) -> None:
    settings = (traced.workspace, traced.registry_settings)
    first = traced.registry.fetch("TINY-TRAINED-1", tmp_path / "first")
    card = first.card.model_copy(update={"fingerprint": "of other settings"})
    traced.registry.publish("TINY-TRAINED", tmp_path / "first", card)
    traced.train()
    assert [version.reference for version in traced.registry.list()] == [
        "TINY-TRAINED-1",
        "TINY-TRAINED-2",
    ]
    for reference, expected in (
        ("", "TINY-TRAINED-1"),
        ("TINY-TRAINED:latest", "TINY-TRAINED-2"),
    ):
        download(traced.recipe, DownloadSettings(reference=reference), *settings)
        assert Downloaded.read(traced.output("download")).source == expected


def test_failing_case_of_the_project_keeps_the_model_out(traced: Any, suite: Path) -> None:
    suite.write_text(SUITE.replace("EXPECTED", "1000"))
    with pytest.raises(MeshError, match=r"did not pass \(test_of_the_project\)"):
        validate(traced.recipe, ValidateSettings(), traced.workspace, traced.data)
    assert report(traced)["passed"] is False
    [failed] = [case for case in report(traced)["cases"] if case["outcome"] == "failed"]
    assert "assert 3 == 1000" in failed["message"]
    with pytest.raises(MeshError, match="only a validated model is registered"):
        upload(traced.recipe, UploadSettings(), traced.workspace, traced.registry_settings)
    assert [one.name for one in traced.registry.list()] == ["TINY-TRAINED"]


def test_tolerance_of_parity_is_kept(traced: Any) -> None:
    settings = CompileSettings(max_abs_difference=1e-12, force=True)
    with pytest.raises(MeshError, match="differs in float32 from the uncompiled one"):
        trace(traced.recipe, settings, traced.workspace, traced.registry_settings)


def test_network_that_tags_words_is_trained_compiled_and_registered(
    tiny_tags: Any, suite: Path
) -> None:
    tiny_tags.train(epochs=6)
    trained = tiny_tags.registry.get("TINY-TRAINED-1")
    assert trained.card.metrics["test"]["f1"] == 1
    assert list(trained.card.metrics["test"]["per_label"]) == ["OWNER"]
    assert trained.card.metrics["plots"] == ["evaluation/per_label.png"]
    settings = (tiny_tags.workspace, tiny_tags.registry_settings)
    download(tiny_tags.recipe, DownloadSettings(), *settings)
    trace(tiny_tags.recipe, CompileSettings(), *settings)
    suite.write_text("")
    validate(tiny_tags.recipe, ValidateSettings(), tiny_tags.workspace, tiny_tags.data)
    upload(tiny_tags.recipe, UploadSettings(), *settings)
    [version] = tiny_tags.registry.list("TINY-COMPILED")
    assert version.card.trained_version == trained.reference

    page = report_page(read_report(tiny_tags.registry, tiny_tags.data, version.reference))
    assert "confusion matrix of entities" in page
    assert "By entity type" in page

    model = CompiledModel.load(tiny_tags.output("compile") / COMPILED)
    assert model.spec.labels == ("O", "B-OWNER", "I-OWNER")
    assert (model.spec.overflow, model.spec.stride) == ("window", 16)
    # More than the 128 tokens of one pass: each word is tagged once, in the text's order.
    text = " ".join(["fine thing3 thing9 is thing3"] * 60)
    [found] = model.token_logits([text])
    assert [text[start:end] for start, end in found.offsets] == text.split()
