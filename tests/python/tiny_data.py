"""A tiny project's labelled data, and a place where its steps read and store it."""

import json
from pathlib import Path
from typing import Any, Literal

from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings
from mesh.data.dataset import ClassifiedText, Dataset
from mesh.data.settings import DataSettings
from mesh.data.store import DataStore
from mesh.lifecycle.ingest import ingest
from mesh.lifecycle.ingest_settings import IngestSettings
from mesh.lifecycle.register import RegisterSettings, register

WORDS = (
    "apple bridge candle desert engine forest garden harbour island jacket kettle ladder market "
    "needle orange pencil quarry river shadow temple uncle valley window yellow zebra anchor "
    "basket copper dragon ember"
).split()


class Opinion(ClassifiedText):
    label: Literal["bad", "good"]


PROJECT = Project(name="tiny", description="", port=1)


DATASET = Dataset(project=PROJECT, row=Opinion, samples="none:none")


def opinion(number: int, **changes: object) -> dict[str, object]:
    text = " ".join(
        WORDS[(number * step + number // len(WORDS)) % len(WORDS)] for step in (1, 7, 11)
    )
    label = "good" if number % 3 else "bad"
    return {
        "text": f"{text} {number}",
        "label": label,
        "language": "en",
        "domain": "review",
        **changes,
    }


class Place:
    """A source file, a workspace and a root for data."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "rows.jsonl"
        self.workspace = WorkspaceSettings(workspace=folder)
        self.data = DataSettings(root=str(folder / "data"))
        self.rejects = folder / "outputs/tiny"

    def write(self, rows: list[object]) -> None:
        self.source.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def ingest(self, **settings: Any) -> None:
        ingest(
            DATASET,
            IngestSettings(**{"source": str(self.source), **settings}),
            self.workspace,
            self.data,
        )

    def register(self, **settings: Any) -> None:
        register(DATASET, RegisterSettings(**settings), self.workspace, self.data)

    @property
    def raw(self) -> DataStore:
        return DataStore(PROJECT, "raw", self.data)

    @property
    def features(self) -> DataStore:
        return DataStore(PROJECT, "features", self.data)
