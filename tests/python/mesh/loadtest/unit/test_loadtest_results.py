import csv
import io
from pathlib import Path

from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings
from mesh.loadtest.plan import Exchange, LoadPlan
from mesh.loadtest.program import mixed_sizes
from mesh.loadtest.report import Outcome
from mesh.loadtest.results import action_context, model_directory, response_times
from mesh.loadtest.settings import ResultSettings


def test_context_holds_nothing_secret() -> None:
    environment = {
        "GITHUB_RUN_ID": "7",
        "GITHUB_TOKEN": "secret",
        "GITHUB_REF": "",
        "HOME": "/root",
    }
    assert action_context(environment) == {"run_id": "7"}


def test_response_times_are_one_line_each(plan: LoadPlan) -> None:
    outcomes = [
        Outcome(Exchange(request=0, start=0.25, seconds=0.0015, status=200), None),
        Outcome(Exchange(request=1, start=0.5, seconds=0.002, status=0), 'reset, "by peer"'),
    ]
    rows = list(csv.DictReader(io.StringIO(response_times(plan, outcomes))))
    assert [row["milliseconds"] for row in rows] == ["1.500", "2.000"]
    assert [row["path"] for row in rows] == ["/bio", "/predict"]
    assert [row["failure"] for row in rows] == ["", 'reset, "by peer"']


def test_sizes_are_mixed_and_nothing_is_sent_twice() -> None:
    documents = [str(number) for number in range(20)]
    sizes = [len(group) for group in mixed_sizes(documents)]
    assert sizes == [1] * 20 + [4] * 5 + [16]
    assert mixed_sizes(["a"]) == [("a",)]
    assert mixed_sizes(["a", "b"]) == [("a",), ("b",), ("a", "b")]


def test_results_belong_to_the_last_download_or_the_named_directory(tmp_path: Path) -> None:
    project = Project(name="tiny", description="", port=1)
    workspace = WorkspaceSettings(workspace=tmp_path)
    downloaded = tmp_path / "models" / "TINY-COMPILED-2"
    downloaded.mkdir(parents=True)
    workspace.set_current_model(project, downloaded.name)
    named = ResultSettings(model_directory=tmp_path / "models" / "TINY-COMPILED-1")

    assert model_directory(project, ResultSettings(), workspace) == downloaded
    assert model_directory(project, named, workspace) == named.model_directory


def test_results_of_code_belong_to_the_project(tmp_path: Path) -> None:
    project = Project(name="tiny", description="", port=1, kind="code-only")
    workspace = WorkspaceSettings(workspace=tmp_path)

    assert model_directory(project, ResultSettings(), workspace) == tmp_path / "models" / "tiny"
