"""Small files of labelled data, as the project's rows."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from mesh.data.account import Account, Rejects
from mesh.data.dataset import AnnotatedText, ClassifiedText, TextRow
from mesh.data.formats import Reading, read_file
from mesh.data.offsets import Offsets
from mesh.data.sources import find_files
from mesh.data.translation import Translation
from mesh.data.validation import RowReader

DEFAULTS = {"language": "en", "domain": "news"}
STARS = {"label": {"1-2": "negative", "3": "neutral", "4-5": "positive"}}
TALE = "Nora met Kōji 😀 near Łódź."


class Opinion(ClassifiedText):
    """A text of one of three classes."""

    label: Literal["negative", "neutral", "positive"]


def ingest(
    folder: Path, name: str, content: bytes, row: type[TextRow], **how: Any
) -> tuple[list[Any], list[str], Account, str]:
    """The rows of a file as the project's, the reasons of the others, the account, the advice."""
    (folder / name).write_bytes(content)
    [file] = find_files(str(folder / name))
    reading = Reading(
        **{key: how.pop(key) for key in ("columns", "delimiter", "encoding") if key in how}
    )
    offsets = Offsets.parse(how.pop("offsets", "characters"))
    written = io.StringIO()
    rejects = Rejects(written)
    reader = RowReader(row, Translation(**{"defaults": DEFAULTS, **how}), offsets, rejects)
    with file.local(folder) as path:
        rows = list(reader.read(read_file(path, str(file.format), reading), name))
    reasons = [json.loads(line)["reason"] for line in written.getvalue().splitlines()]
    return rows, reasons, rejects.account(len(rows)), reader.check.advice()


def shown(row: Any) -> tuple[str, Any]:
    """A row's text with its label or its names."""
    if isinstance(row, AnnotatedText):
        return row.text, [(row.text[each.start : each.end], each.label) for each in row.entities]
    return row.text, row.label


def lines(*values: object) -> str:
    """JSON lines."""
    return "".join(json.dumps(value) + "\n" for value in values)


def parquet(columns: Mapping[str, list[Any]], metadata: dict[str, str] | None = None) -> bytes:
    """A Parquet file of columns."""
    written = io.BytesIO()
    pq.write_table(pa.table(dict(columns)).replace_schema_metadata(metadata), written)
    return written.getvalue()
