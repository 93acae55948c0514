"""`mesh drift`: its verdicts, exit codes and files, and mistakes that end in one sentence."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mesh.cli import drift
from mesh.core.card import ModelCard
from mesh.core.project import Project
from mesh.drift.reference import Reference
from mesh.drift.sample import Sample
from mesh.serve.prediction_log.record import Record
from mesh_in_process import Mesh, make_mesh, settings_of
from prediction_logs import FINGERPRINT, NOW, PROJECT, records, write_log


@pytest.fixture
def mesh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Mesh:
    """The command, in a folder of its own, with the project of the logs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(drift, "get_project", lambda _: PROJECT)
    settings = settings_of(tmp_path)
    for name in ("uri", "artifacts"):
        monkeypatch.setenv(f"MESH_REGISTRY_{name.upper()}", getattr(settings, name))
    return make_mesh("drift", monkeypatch, capsys)


def write_version(folder: Path, found: list[Record] | None, fingerprint: str = FINGERPRINT) -> None:
    """A version in models/; with records, it keeps a reference."""
    folder.mkdir(parents=True)
    card = ModelCard(
        project="films", model_type="compiled", code_revision="c", fingerprint=fingerprint
    )
    card.write(folder)
    if found is not None:
        sample = Sample()
        for one in found:
            sample.add(one.facts, one.characters, one.language)
        Reference.of(sample, "400 rows of the test split").write(folder)


@pytest.mark.parametrize(
    ("now", "code", "verdict"),
    [
        (records(300, seed=1), 0, "The predictions have not drifted."),
        (records(300, seed=1, good=0.95), 4, r"The predictions have drifted: label (PSI "),
        (records(20, seed=1, good=0.95), 3, "Undecided: no fact has enough values in both the 400"),
    ],
)
def test_verdicts(mesh: Mesh, now: list[Record], code: int, verdict: str) -> None:
    write_version(Path("models/FILMS-COMPILED-1"), records(400))
    write_log(Path("log"), now)
    found, output, errors = mesh("films", "--log", "log")
    assert (found, errors) == (code, "")
    assert output.splitlines()[-1].startswith(verdict)
    assert "compared with 400 of 400 rows of the test split of FILMS-COMPILED-1" in output


def test_json_metrics_and_a_page(mesh: Mesh) -> None:
    write_log(Path("before"), records(300))
    write_log(Path("log"), records(300, seed=1, length=200))
    files = ("--html", "found.html", "--metrics", "found.prom")
    code, output, _ = mesh("films", "--log", "log", "--reference", "before", "--json", *files)
    report: dict[str, Any] = json.loads(output)
    assert (code, report["drift"]["verdict"]) == (4, "drift")
    assert (report["version"], report["fingerprint"]) == ("1", FINGERPRINT)
    samples = [
        sample
        for family in text_string_to_metric_families(Path("found.prom").read_text())
        for sample in family.samples
    ]
    served = {"model": "films", "version": "1", "fingerprint": FINGERPRINT}
    values = {sample.name: sample.value for sample in samples if sample.labels == served}
    assert values["mesh_drift_found"] == 1
    assert values["mesh_drift_predictions"] == 300
    assert {one.labels["fact"] for one in samples if one.name == "mesh_drift_psi"} == {
        "document.characters",
        "document.language",
        "label",
        "names.kind",
        "score",
    }
    page = Path("found.html").read_text()
    assert "The predictions have drifted: document.characters (PSI" in page
    assert page.count("<figure>") == 5
    assert "<script" not in page


def test_another_version_is_found_in_the_folder(mesh: Mesh) -> None:
    write_version(Path("models/FILMS-COMPILED-1"), None, "e" * 64)
    write_version(Path("models/FILMS-COMPILED-2"), records(400))
    (Path("models/FILMS-COMPILED-3")).mkdir()
    write_log(Path("log"), [*records(50, version="1", fingerprint="e" * 64), *records(300, seed=1)])
    assert mesh("films", "--log", "log", "--version", "f")[0] == 0
    code, output, errors = mesh("films", "--log", "log", "--version", "e")
    assert (code, output) == (2, "")
    assert "FILMS-COMPILED-1 keeps no reference: " in errors


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--log", "none"), "--log none isn't a folder."),
        (("--log", "log", "--reference", "none"), "--reference none isn't a folder."),
        (("--log", "log", "--reference-version", "1"), "which is missing"),
        (("--log", "log", "--version", "7"), "has no predictions of version 7"),
        (("--log", "log", "--hours", "0.5"), "--log log has no predictions since"),
        (("--log", "log"), "or in the registry has the fingerprint ffffffffffff"),
    ],
)
def test_mistakes(mesh: Mesh, arguments: tuple[str, ...], problem: str) -> None:
    write_log(Path("log"), records(3, time=NOW - timedelta(hours=1)))
    code, output, errors = mesh("films", *arguments)
    assert (code, output, errors.count("\n")) == (2, "", 1)
    assert problem in errors


def test_code_keeps_no_reference(mesh: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    code_only = Project(name="films", description="Judges.", port=8000, kind="code-only")
    monkeypatch.setattr(drift, "get_project", lambda _: code_only)
    write_log(Path("log"), records(300))
    code, output, errors = mesh("films", "--log", "log")
    assert (code, output) == (2, "")
    assert "since its code is its model; name the log of another time" in errors
