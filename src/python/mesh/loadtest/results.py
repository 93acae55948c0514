"""The files of a load test, in `models/<version>/<image tag>/test_results`."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from mesh.core.card import TEST_RESULTS
from mesh.core.files import atomic_directory, write_json_atomic, write_text_atomic
from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings
from mesh.loadtest.criteria import EVALUATION_FILE, LoadTestEvaluation
from mesh.loadtest.plan import LoadPlan
from mesh.loadtest.plots import DISTRIBUTION_PLOT, TIMELINE_PLOT, plot_distribution, plot_timeline
from mesh.loadtest.report import REPORT_FILE, LoadTestReport, Outcome
from mesh.loadtest.settings import ResultSettings

IMAGE_FILE = "serve_image_spec.json"
CONTEXT_FILE = "github_action_context.json"
TIMES_FILE = "response_times.csv"
RESULT_FILES = (
    REPORT_FILE,
    EVALUATION_FILE,
    IMAGE_FILE,
    CONTEXT_FILE,
    TIMES_FILE,
    TIMELINE_PLOT,
    DISTRIBUTION_PLOT,
)

# Only these, since a runner's environment also holds tokens.
_CONTEXT = (
    "GITHUB_ACTOR",
    "GITHUB_EVENT_NAME",
    "GITHUB_JOB",
    "GITHUB_REF",
    "GITHUB_REPOSITORY",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
    "GITHUB_SERVER_URL",
    "GITHUB_SHA",
    "GITHUB_WORKFLOW",
)


class ImageSpec(BaseModel):
    """The served image; without a name, the server ran outside of an image."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_name: str | None
    image_tag: str
    image_digest: str | None = None


def model_directory(
    project: Project, settings: ResultSettings, workspace: WorkspaceSettings
) -> Path:
    """The directory of the served version, or `models/<project>` for code-only models.

    Raises:
        MeshError: no compiled version was downloaded.
    """
    if project.kind == "code-only":
        return workspace.models / project.name
    return settings.model_directory or workspace.current_model(project)


def results_directory(directory: Path, image_tag: str) -> Path:
    """The folder of test results of a model in an image."""
    return directory / image_tag / TEST_RESULTS


def write_results(
    directory: Path,
    plan: LoadPlan,
    report: LoadTestReport,
    evaluation: LoadTestEvaluation,
    outcomes: Sequence[Outcome],
    image: ImageSpec,
) -> None:
    """Replace the files of the previous test, all or none.

    Raises:
        MeshError: they can't be written.
    """
    with atomic_directory(directory, replace=True) as partial:
        write_json_atomic(partial / REPORT_FILE, report.model_dump(mode="json"))
        write_json_atomic(partial / EVALUATION_FILE, evaluation.model_dump(mode="json"))
        write_json_atomic(partial / IMAGE_FILE, image.model_dump(mode="json"))
        write_json_atomic(partial / CONTEXT_FILE, action_context(os.environ))
        write_text_atomic(partial / TIMES_FILE, response_times(plan, outcomes))
        plot_timeline(partial / TIMELINE_PLOT, plan, outcomes)
        plot_distribution(partial / DISTRIBUTION_PLOT, plan, outcomes)


def action_context(environment: Mapping[str, str]) -> dict[str, str]:
    """The running GitHub job: `GITHUB_RUN_ID` as `run_id`, and so on; empty elsewhere."""
    return {
        name.removeprefix("GITHUB_").lower(): environment[name]
        for name in _CONTEXT
        if environment.get(name)
    }


def response_times(plan: LoadPlan, outcomes: Sequence[Outcome]) -> str:
    """Every request as a line of CSV, in the order of their responses."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["start_seconds", "milliseconds", "method", "path", "request", "failure"])
    for outcome in outcomes:
        exchange = outcome.exchange
        request = plan.requests[exchange.request]
        writer.writerow(
            [
                f"{exchange.start:.6f}",
                f"{exchange.seconds * 1000:.3f}",
                request.method,
                request.path,
                exchange.request,
                outcome.failure or "",
            ]
        )
    return text.getvalue()
