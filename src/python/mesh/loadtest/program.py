"""`serve:load`: the program that puts a project's running server under load and judges it."""

import datetime
import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from mesh.core.card import TEST_RESULTS, ModelCard
from mesh.core.errors import UNDECIDED, MeshError
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.samples import read_samples
from mesh.core.status import NEVER_RUN, Status, out_of_date, up_to_date
from mesh.core.tracing import annotate_version
from mesh.core.workspace import WorkspaceSettings
from mesh.loadtest.criteria import Criterion, evaluate
from mesh.loadtest.own_times import Endpoint, Observer
from mesh.loadtest.plan import GeneratorFigures, LoadPlan, PlannedRequest
from mesh.loadtest.report import REPORT_FILE, LoadTestReport, Outcome, duration, make_report
from mesh.loadtest.responses import ResponseCheck
from mesh.loadtest.results import ImageSpec, model_directory, results_directory, write_results
from mesh.loadtest.run import run_plan, show_progress
from mesh.loadtest.server import Bio, Server
from mesh.loadtest.settings import LoadSettings, ResultSettings
from mesh.loadtest.shown import show

logger = logging.getLogger(__name__)

P99_MS = 2000
"""Default bound, in milliseconds, of the 99th percentile of predictions."""

MEDIUM = 4
LARGE = 16


def program(project: Project) -> Program:
    """The program `serve:load` of a project.

    The project's `schema.py` declares the `Request`, whose `inputs` hold a `document` each, and the
    `Response`, the schema of the server's predictions. It may declare `LOAD_CONFIGURATIONS`, with
    each of which the requests are sent.
    """
    schema = importlib.import_module(f"{project.package}.schema")
    bio = f"/v1/model/{project.name}/bio"
    predict = f"/v1/model/{project.name}/predict"

    class ProjectLoadSettings(LoadSettings):
        """Put the running server under load, and judge the measurements."""

        url: str = Field(
            f"http://127.0.0.1:{project.port}",
            pattern=LoadSettings.URL_PATTERN,
            description="The server, without a path.",
        )
        criteria: tuple[Criterion, ...] = Field(
            (
                Criterion(
                    name="response_time_p99",
                    threshold=P99_MS,
                    endpoint_type="POST",
                    endpoint_url=predict,
                ),
            ),
            description="A JSON list of bounds. An endpoint without a bound on failures must have none.",
        )

    def load(settings: ProjectLoadSettings, workspace: WorkspaceSettings) -> int:
        requests = (
            PlannedRequest(method="GET", path=bio),
            *(
                PlannedRequest(method="POST", path=predict, body=_body(schema.Request, group, more))
                for group in mixed_sizes(read_samples(project.samples))
                for more in getattr(schema, "LOAD_CONFIGURATIONS", (None,))
            ),
        )
        return run_load_test(
            project, settings, workspace, requests, {bio: Bio, predict: schema.Response}
        )

    return Program(
        component=f"{project.package}.serve",
        name="load",
        run=load,
        status=partial(_status, project) if project.kind == "trained" else None,
        settings=(ProjectLoadSettings, WorkspaceSettings),
    )


def _status(project: Project, settings: ResultSettings, workspace: WorkspaceSettings) -> Status:
    """Whether the served version was put under load; code-only projects record no version."""
    directory = settings.model_directory or workspace.find_model(project)
    if directory is None:
        return NEVER_RUN
    results = results_directory(directory, settings.image_tag)
    if (results / REPORT_FILE).is_file():
        report = LoadTestReport.read(results)
        card = ModelCard.read(directory)
        served = (directory.name, card.fingerprint)
        if (report.model_version, report.fingerprint) == served:
            return up_to_date(directory.name)
        return out_of_date(str(report.model_version), ["compiled version"])
    others = f"{project.compiled_model}-*/{settings.image_tag}/{TEST_RESULTS}/{REPORT_FILE}"
    before = max(workspace.models.glob(others), key=lambda path: path.stat().st_mtime, default=None)
    if before is None:
        return NEVER_RUN
    version = before.parents[2].name
    return out_of_date(version, [f"compiled version ({version} -> {directory.name})"])


def _body(
    request: type[BaseModel], documents: Sequence[str], configuration: Mapping[str, Any] | None
) -> str:
    body: dict[str, Any] = {"inputs": [{"document": document} for document in documents]}
    if configuration is not None:
        body["configuration"] = configuration
    return request.model_validate(body).model_dump_json(exclude_unset=True)


def mixed_sizes(documents: Sequence[str]) -> list[tuple[str, ...]]:
    """The documents one by one, in fours, and the first sixteen at once, without repetition."""
    groups: list[tuple[str, ...]] = [(document,) for document in documents]
    groups += [
        tuple(documents[start : start + MEDIUM]) for start in range(0, len(documents), MEDIUM)
    ]
    groups.append(tuple(documents[:LARGE]))
    return list(dict.fromkeys(groups))


def run_load_test(
    project: Project,
    settings: LoadSettings,
    workspace: WorkspaceSettings,
    requests: tuple[PlannedRequest, ...],
    models: dict[str, type[BaseModel]],
) -> int:
    """Send requests to a server, write the results, and show the verdict.

    Args:
        requests: the first one gets the model's bio.
        models: the schemas of responses, by path.

    Returns:
        0 if the hard criteria are met, 1 if not, 3 if the measurements aren't the server's.

    Raises:
        MeshError: the server isn't ready, or serves another model or version than the tested one.
    """
    directory = model_directory(project, settings, workspace)
    plan = LoadPlan(requests=requests, **settings.model_dump(include=set(LoadPlan.model_fields)))
    figures: list[GeneratorFigures] = []
    key = plan.api_key.get_secret_value() if plan.api_key else None
    with Server(settings.url, settings.timeout_seconds, settings.ca_file, key) as server:
        server.require_ready()
        bio = server.bio(requests[0], project.name)
        if project.kind == "trained":
            _require_same_version(directory, bio, settings.url)
        annotate_version(directory.name, bio.fingerprint)
        check = ResponseCheck(requests, models, server.responses(requests))
        observer = Observer(server.metrics)
        started, outcomes = _carry_out(plan, check, figures.append)
        own = observer.figures(_responses(plan, outcomes), duration(plan, outcomes))
    report = make_report(
        plan,
        outcomes,
        project=project.name,
        model_version=directory.name if project.kind == "trained" else None,
        fingerprint=bio.fingerprint,
        runs_on=bio.runs_on,
        precision=bio.precision,
        started=started,
        generator=figures[0] if figures else None,
        server=own,
    )
    evaluation = evaluate(settings.criteria, report)
    results = results_directory(directory, settings.image_tag)
    image = ImageSpec(
        image_name=settings.image_name or None,
        image_tag=settings.image_tag,
        image_digest=settings.image_digest or None,
    )
    write_results(results, plan, report, evaluation, outcomes, image)
    logger.info("Results are in %s", results)
    show(report, evaluation)
    if evaluation.inconclusive:
        return UNDECIDED
    return 0 if evaluation.passed else 1


def _require_same_version(directory: Path, bio: Bio, url: str) -> None:
    if ModelCard.read(directory).fingerprint != bio.fingerprint:
        raise MeshError(
            f"The server at {url} serves another model than {directory}; restart it, or set LOAD_MODEL_DIRECTORY "
            "to the directory of its version."
        )


def _carry_out(
    plan: LoadPlan, check: ResponseCheck, ended: Callable[[GeneratorFigures], None]
) -> tuple[datetime.datetime, list[Outcome]]:
    """Run a plan; return the time of the first user's start, and the outcome of each request."""
    started = datetime.datetime.now(datetime.UTC)
    outcomes: list[Outcome] = []
    for exchange in show_progress(run_plan(plan, ended), plan.run_seconds):
        if not outcomes:
            # The generator takes a moment to start.
            age = datetime.timedelta(seconds=exchange.start + exchange.seconds)
            started = datetime.datetime.now(datetime.UTC) - age
        outcomes.append(Outcome(exchange, check.failure(exchange)))
    return started, outcomes


def _responses(plan: LoadPlan, outcomes: Sequence[Outcome]) -> Mapping[Endpoint, int]:
    """How many responses each endpoint has sent, with whatever status."""
    counts: dict[Endpoint, int] = {(request.method, request.path): 0 for request in plan.requests}
    for outcome in outcomes:
        request = plan.requests[outcome.exchange.request]
        counts[request.method, request.path] += outcome.exchange.status != 0
    return counts
