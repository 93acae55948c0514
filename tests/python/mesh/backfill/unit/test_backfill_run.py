"""What a backfill makes of rows: predictions, or reasons why there are none."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mesh.backfill.program import program
from mesh.core.errors import UsageError
from mesh.core.project import load_project
from mesh.serve.documents import MAX_DOCUMENT_CHARACTERS
from shout_project import (
    FLAGS,
    ROWS,
    SMALL,
    manifest_of,
    plan,
    read_table,
    reasons,
    results,
    write_lines,
    write_parquet,
)


@pytest.mark.usefixtures("parquet")
def test_each_row_has_its_prediction(workspace: Path) -> None:
    backfill = plan(*FLAGS, *SMALL)
    assert backfill.run() == 0
    assert len(backfill.parts) > 3
    out = workspace / "out"
    rows = read_table(out)
    assert [row["id"] for row in sorted(rows, key=lambda row: row["n"])] == [r["id"] for r in ROWS]
    row = next(row for row in rows if row["n"] == 7)
    assert row == {
        "id": "r7",
        "n": 7,
        "markup": "plain",
        "shout": "TEXT 7!",
        "words": [{"word": "text", "letters": 4}, {"word": "7", "letters": 1}],
        "language": "en",
    }
    manifest = manifest_of(out)
    assert (manifest.rows, manifest.rejected, manifest.reasons) == (60, 0, {})
    assert manifest.model.version is None
    assert results(out).name == f"model={manifest.model.fingerprint[:16]}"
    assert manifest.columns["n"] == "int64"
    assert [entry.name for entry in manifest.inputs] == ["a.parquet"]
    assert (results(out) / "_SUCCESS").read_bytes() == b""
    assert not (results(out) / "_partial").exists() or not any(
        (results(out) / "_partial").iterdir()
    )
    summary = json.loads((results(out) / "_summary.json").read_text())
    assert (summary["state"], summary["rows"], summary["shards_found"]) == ("complete", 60, 0)


def test_other_readers_find_one_table(workspace: Path, parquet: Path) -> None:
    write_parquet(workspace / "in/b.parquet", [{**row, "n": 1000} for row in ROWS], 10)
    assert parquet.exists()
    assert plan(*FLAGS, *SMALL).run() == 0
    assert pq.read_table(results(workspace / "out") / "data").num_rows == 120


def test_rows_that_can_not_be_answered_are_rejected_with_reasons(workspace: Path) -> None:
    rows: list[Any] = [
        {"id": "good", "text": "a"},
        {"id": "empty", "text": " \n"},
        {"id": "null", "text": None},
        {"id": "absent"},
        {"id": "number", "text": 5},
        {"id": "long", "text": "x" * (MAX_DOCUMENT_CHARACTERS + 1)},
        {"id": "surrogate", "text": "\ud800"},
        {"id": "refused", "text": "refuse"},
        {"id": "crashed", "text": "crash"},
        {"id": "french", "text": "a", "lang": "fr"},
        {"id": "german", "text": "a", "lang": "de"},
        {"id": "conf", "text": "a", "conf": '{"times": 9}'},
        {"id": "noconf", "text": "a", "conf": "{"},
        {"id": "twice", "text": "a", "conf": {"times": 2}},
        {"id": None, "text": "a"},
        '{"broken',
        {"id": {"a": 1}, "text": "a"},
    ]
    write_lines(workspace / "in/a.jsonl", rows)
    columns = ("--language-column", "lang", "--configuration-column", "conf")
    assert plan("--input", "in", "--output", "out", "--id", "id", *columns).run() == 0
    out = workspace / "out"
    assert reasons(out) == {
        "empty": "empty",
        "null": "empty",
        "absent": "empty",
        "number": "not a string",
        "long": "too long",
        "surrogate": "not Unicode",
        "refused": "refused",
        "crashed": "failed",
        "french": "configuration",
        "conf": "configuration",
        "noconf": "configuration",
        "a.jsonl:14": "no id",
        "a.jsonl:15": "malformed",
    }
    shouts = {row["id"]: (row["shout"], row["language"]) for row in read_table(out)}
    assert shouts == {
        "good": ("A!", "en"),
        "german": ("A!", "de"),
        "twice": ("AA!", "en"),
        '{"a":1}': ("A!", "en"),
    }
    details = {row["id"]: row["detail"] for row in read_table(out, "rejected")}
    assert "secret" not in details["crashed"]
    assert details["refused"] == "It can't be shouted."
    assert manifest_of(out).reasons["empty"] == 3


@pytest.mark.parametrize("name", ["_a.jsonl", ".a.jsonl", "é.jsonl", f"x/{'y' * 78}/_/a.jsonl"])
def test_no_result_has_a_name_that_readers_pass_over(name: str, workspace: Path) -> None:
    write_lines(workspace / "in" / name, [{"text": "a"}])
    assert plan("--input", f"in/{name}", "--output", "out").run() == 0
    assert pq.read_table(results(workspace / "out") / "data").num_rows == 1


@pytest.mark.usefixtures("parquet")
@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--language", "fr"), "shout takes no such configuration: configuration.language"),
        (("--configuration", '{"volume": 3}'), "has no 'volume'; it has: language, times"),
        (("--text", "body"), "has no column 'body'; its columns are 'id', 'text', 'n'"),
        (("--carry", "shout"), "has no column 'shout'"),
        (("--id", "", "--carry", "id"), "The column 'id' can't be carried over"),
        (("--output", "https://example.org/out"), "can't be written: give a path"),
    ],
)
def test_flag_that_fits_neither_input_nor_model_is_a_sentence(
    flags: tuple[str, str], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        plan(*FLAGS, *flags).run()


def test_ids_without_a_column_are_those_of_file_and_row(workspace: Path) -> None:
    write_lines(workspace / "in/x/a.jsonl", [{"text": f"t{n}"} for n in range(20)])
    for size in ("64", "0.0001"):
        assert plan("--input", "in", "--output", f"out{size}", "--shard-mb", size).run() == 0
        ids = {row["id"] for row in read_table(workspace / f"out{size}")}
        assert ids == {f"x/a.jsonl:{n}" for n in range(20)}


def test_service_that_is_down_rejects_no_row(workspace: Path) -> None:
    write_lines(workspace / "in/a.jsonl", [{"text": "down"}])
    with pytest.raises(Exception, match="The other service is down"):
        plan("--input", "in", "--output", "out").run()
    assert not list(workspace.glob("out/*/data/*"))


def test_empty_input_has_empty_results(workspace: Path) -> None:
    write_lines(workspace / "in/a.jsonl", [])
    assert plan("--input", "in", "--output", "out").run() == 0
    assert (manifest_of(workspace / "out").rows, manifest_of(workspace / "out").shards) == (0, ())


def test_flag_takes_the_files_that_a_shell_makes_of_a_pattern(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = program(load_project("shout"))
    assert found.main(["--input", "a.csv", "b.csv", "--output", "out"]) == 2
    assert "The input a.csv does not exist." in capsys.readouterr().err
    write_lines(workspace / "a.csv", [])
    assert found.main(["--input", "a.csv", "b.csv", "--output", "out"]) == 2
    assert "The input b.csv does not exist." in capsys.readouterr().err
