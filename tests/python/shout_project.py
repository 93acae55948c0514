"""A project whose model is a few lines, and backfills of it in this process, for tests."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mesh.backfill.division import Part
from mesh.backfill.manifest import DATA, REJECTED, BackfillManifest
from mesh.backfill.models import make_model, own_settings
from mesh.backfill.progress import Progress
from mesh.backfill.run import Backfill
from mesh.backfill.settings import BackfillSettings
from mesh.backfill.shard import compute_part
from mesh.core.project import load_project
from mesh.core.settings import load_settings
from mesh.core.workspace import WorkspaceSettings

ROWS = [{"id": f"r{number}", "text": f"text {number}", "n": number} for number in range(60)]
FLAGS = ("--input", "in", "--output", "out", "--id", "id", "--carry", "n")
"""Of a backfill of these rows."""
SMALL = ("--shard-mb", "0.0005")

_PROJECT = '''"""The declaration of the project."""

from mesh.core.project import CODE_ONLY_STEPS, Project

PROJECT = Project(
    name="shout", description="Shouts.", port=8999, kind="code-only", steps=CODE_ONLY_STEPS
)
'''

_MODEL = '''"""The model."""

import os
import signal
import time
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic_settings import SettingsConfigDict

from mesh.core.errors import UsageError
from mesh.core.settings import MeshSettings
from mesh.serve.documents import DocumentPrediction, DocumentsRequest, RequestModel
from mesh.serve.model import ServedModel
from mesh.serve.results import attempt
from mesh.serve.problems import ProblemError
from shout.project import PROJECT


class ShoutSettings(MeshSettings):
    """Settings of the model."""

    model_config = SettingsConfigDict(env_prefix="SHOUT_")

    mark: str = Field("!", description="What ends a shout.")
    seconds: float = Field(0, description="How long a document takes.")


class Configuration(RequestModel):
    language: Literal["en", "de"] = "en"
    times: int = Field(1, ge=1, le=3)


class Request(DocumentsRequest):
    configuration: Configuration = Configuration()


class Word(BaseModel):
    word: str
    letters: int


class Prediction(DocumentPrediction):
    shout: str
    words: list[Word]


class Response(BaseModel):
    outputs: list[Prediction]
    language: str


class Shout(ServedModel):
    name = PROJECT.name
    request_model = Request
    response_model = Response
    settings = (ShoutSettings,)

    def __init__(self, _directory: Any, settings: ShoutSettings) -> None:
        self._settings = settings

    def predict_batch(self, requests: Sequence[Request]) -> list[Response | Exception]:
        return [attempt(self._answer, request) for request in requests]

    def _answer(self, request: Request) -> Response:
        [text] = request.documents
        time.sleep(self._settings.seconds)
        match text:
            case "refuse":
                raise UsageError("It can't be shouted.")
            case "crash":
                raise ZeroDivisionError("a secret")
            case "down":
                raise ProblemError(503, "The other service is down.")
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
        shout = text.upper() * request.configuration.times + self._settings.mark
        words = [Word(word=word, letters=len(word)) for word in text.split()]
        output = Prediction(markup="plain", shout=shout, words=words)
        return Response(outputs=[output], language=request.configuration.language)


MODEL = Shout
'''


def write_project(folder: Path) -> None:
    """Write the package `shout`, and let Python find it."""
    package = folder / "shout"
    (package / "serve").mkdir(parents=True)
    (package / "project.py").write_text(_PROJECT)
    (package / "serve/model.py").write_text(_MODEL)
    for init in (package, package / "serve"):
        (init / "__init__.py").write_text("")
    sys.path.insert(0, str(folder))


class InProcess(Backfill):
    """A backfill without Ray."""

    interrupt: Callable[[], None] = staticmethod(lambda: None)
    """Called before each shard."""

    def _make(self, todo: Sequence[Part], progress: Progress) -> bool:
        project = self.job.project
        model = make_model(project, None, own_settings(project))
        for part in todo:
            self.interrupt()
            progress.add(compute_part(self.job, part, model, lambda _rows, _rejected: None))
        return False


def plan(*flags: str) -> InProcess:
    """A backfill by flags."""
    settings, workspace = load_settings([BackfillSettings, WorkspaceSettings], flags=flags)
    project = load_project("shout")
    return InProcess(project, settings, workspace, own_settings(project))


def results(output: Path) -> Path:
    """The folder of the only model's results."""
    [folder] = output.glob("model=*")
    return folder


def manifest_of(output: Path) -> BackfillManifest:
    return BackfillManifest.model_validate_json((results(output) / "manifest.json").read_bytes())


def read_table(output: Path, below: str = DATA) -> list[dict[str, Any]]:
    """All rows of a table of the results."""
    files = sorted((results(output) / below).glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def reasons(output: Path) -> dict[str, str]:
    """Why rows were rejected, by their ids."""
    return {row["id"]: row["reason"] for row in read_table(output, REJECTED)}


def snapshot(output: Path) -> dict[str, bytes]:
    """The content of all files but the summary, whose times differ."""
    folder = results(output)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("_summary.json", ".lock")
    }


def count_ids(output: Path) -> Counter[Any]:
    """How often each id is in the results, rejected rows included."""
    rows = [*read_table(output), *read_table(output, REJECTED)]
    return Counter(row["id"] for row in rows)


def write_parquet(path: Path, rows: Sequence[dict[str, Any]], rows_of_group: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows)), path, row_group_size=rows_of_group)
    return path


def write_lines(path: Path, rows: list[Any]) -> None:
    """Write a file of JSON Lines; a row that is a text is written as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
    )
