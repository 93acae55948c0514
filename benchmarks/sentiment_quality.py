"""The served sentiment model on public rows: `text<TAB>label`, 1 positive and 0 negative.

./pants run benchmarks/sentiment_quality.py -- --rows=path/to/sst2_dev.tsv
"""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from rich.console import Console

from mesh.core.program import Program
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.data.formats import Reading, read_file
from sentiment.project import PROJECT
from sentiment.schema import Configuration, Input, Request
from sentiment.serve.model import SentimentModel

BATCH = 64


class QualitySettings(MeshSettings):
    """Evaluate the model in models/ on labelled rows."""

    model_config = SettingsConfigDict(env_prefix="QUALITY_")

    rows: Path = Field(description="TSV file with the columns text and label (0 or 1).")


def judge(settings: QualitySettings, workspace: WorkspaceSettings) -> None:
    """Print the accuracy with three labels, and with two if neutral is ignored."""
    model = SentimentModel(workspace.current_model(PROJECT))
    model.load()
    reading = Reading(columns=["text", "label"])
    rows = [row.fields for row in read_file(settings.rows, "tsv", reading) if row.fields]
    outputs = []
    for start in range(0, len(rows), BATCH):
        documents = [Input(document=row["text"]) for row in rows[start : start + BATCH]]
        outputs += model.predict(
            Request(inputs=documents, configuration=Configuration(check_language=False))
        ).outputs
    positive = [row["label"] == "1" for row in rows]
    of_three = sum(
        output.label == ("positive" if label else "negative")
        for output, label in zip(outputs, positive, strict=True)
    )
    of_two = sum(
        (output.positive_prob > output.negative_prob) == label
        for output, label in zip(outputs, positive, strict=True)
    )
    console = Console()
    console.print(f"{len(rows)} rows: {of_three / len(rows):.1%} right of three labels")
    console.print(f"{of_two / len(rows):.1%} right if neutral is ignored")


main = Program(
    component="benchmarks",
    name="sentiment_quality",
    run=judge,
    settings=(QualitySettings, WorkspaceSettings),
)

if __name__ == "__main__":
    main()
