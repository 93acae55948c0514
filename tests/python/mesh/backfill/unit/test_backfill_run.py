import json
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.backfill.program import program
from mesh.backfill.storage import Folder
from mesh.core.errors import MeshError, UsageError
from mesh.core.project import load_project
from mesh.serve.documents import MAX_DOCUMENT_CHARACTERS
from shout_project import (
    InProcess,
    count_ids,
    manifest_of,
    plan,
    read_table,
    reasons,
    results,
    snapshot,
    write_parquet,
)

ROWS = [{"id": f"r{number}", "text": f"text {number}", "n": number} for number in range(60)]
FLAGS = ("--input", "in", "--output", "out", "--id", "id", "--carry", "n")
SMALL = ("--shard-mb", "0.0005")


@pytest.fixture
def parquet(workspace: Path) -> Path:
    return write_parquet(workspace / "in/a.parquet", ROWS, 10)


def write_lines(path: Path, rows: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
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


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b c", "", "refuse", "\n"]), max_size=40),
    st.sampled_from(["0.00002", "0.0003", "64"]),
    st.sampled_from(["jsonl", "parquet", "csv"]),
    st.randoms(use_true_random=False),
)
def test_every_row_is_there_once_whatever_shards_and_interruptions(
    texts: list[str], size: str, kind: str, chance: random.Random
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [{"id": f"{n}", "text": text} for n, text in enumerate(texts)]
        file = folder / f"a.{kind}"
        if kind == "parquet":
            schema = pa.schema([("id", pa.string()), ("text", pa.string())])
            pq.write_table(pa.Table.from_pylist(rows, schema), file, row_group_size=3)
        elif kind == "jsonl":
            write_lines(file, rows)
        else:
            lines = "".join(f'{row["id"]},"{row["text"]}"\n' for row in rows)
            file.write_text(f"id,text\n{lines}")
        flags = ("--input", str(file), "--id", "id", "--shard-mb", size)
        assert plan(*flags, "--output", str(folder / "whole")).run() == 0
        for _ in range(3):
            interrupted = plan(*flags, "--output", str(folder / "out"))
            interrupted.interrupt = lambda: interrupt(chance)
            try:
                interrupted.run()
            except InterruptedError:
                assert not list(folder.glob("out/*/_SUCCESS"))
        assert plan(*flags, "--output", str(folder / "out")).run() == 0
        assert snapshot(folder / "out") == snapshot(folder / "whole")
        assert count_ids(folder / "out") == Counter(row["id"] for row in rows)
        assert plan(*flags, "--output", str(folder / "out")).verify() == 0


def interrupt(chance: random.Random) -> None:
    if chance.random() < 0.3:
        raise InterruptedError


@pytest.mark.parametrize("operation", range(12))
@pytest.mark.usefixtures("parquet")
def test_run_that_ends_at_any_write_is_resumed(
    operation: int, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def ends(method: Any) -> Any:
        def write(self: Folder, *arguments: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == operation + 1:
                raise KeyboardInterrupt
            return method(self, *arguments)

        return write

    flags = (*FLAGS, "--shard-mb", "0.001")
    with monkeypatch.context() as patch:
        for name in ("publish", "write", "remove"):
            patch.setattr(Folder, name, ends(getattr(Folder, name)))
        try:
            plan(*flags).run()
        except KeyboardInterrupt:
            assert not list(workspace.glob("out/*/_SUCCESS"))
    resumed = plan(*flags)
    assert resumed.run() == 0
    assert plan(*FLAGS[:2], "--output", "whole", *FLAGS[4:], "--shard-mb", "0.001").run() == 0
    assert snapshot(workspace / "out") == snapshot(workspace / "whole")


class Counted(InProcess):
    """Counts the shards that are made."""

    made = 0

    def interrupt(self) -> None:
        Counted.made += 1


def count_made(*flags: str) -> int:
    Counted.made = 0
    backfill = plan(*flags)
    backfill.__class__ = Counted
    assert backfill.run() == 0
    return Counted.made


def test_only_what_changed_is_made_anew(workspace: Path, parquet: Path) -> None:
    write_lines(workspace / "in/b.jsonl", [{"id": "b", "text": "b", "n": 1}])
    first = count_made(*FLAGS)
    assert first == 2
    assert count_made(*FLAGS) == 0
    parquet.touch()
    assert count_made(*FLAGS) == 0
    write_lines(workspace / "in/b.jsonl", [{"id": "b", "text": "c", "n": 1}])
    assert count_made(*FLAGS) == 1
    assert {row["shout"] for row in read_table(workspace / "out") if row["id"] == "b"} == {"C!"}
    assert count_made(*FLAGS, "--configuration", '{"times": 2}') == 2
    assert count_made(*FLAGS, "--configuration", '{"times": 2}') == 0
    (workspace / "in/b.jsonl").unlink()
    assert count_made(*FLAGS, "--configuration", '{"times": 2}') == 1
    assert count_ids(workspace / "out") == Counter(row["id"] for row in ROWS)
    assert plan(*FLAGS, "--configuration", '{"times": 2}').verify() == 0


@pytest.mark.usefixtures("parquet")
def test_damaged_shard_is_made_anew(workspace: Path) -> None:
    made = count_made(*FLAGS, *SMALL)
    whole = snapshot(workspace / "out")
    [first, second, third, *_] = sorted((results(workspace / "out") / "data").iterdir())
    first.unlink()
    # A torn page has the same size.
    second.write_bytes(second.read_bytes()[:-1] + b"x")
    third.write_bytes(b"")
    assert plan(*FLAGS, *SMALL).verify() == 1
    assert count_made(*FLAGS, *SMALL) == 3 < made
    assert snapshot(workspace / "out") == whole


@pytest.mark.usefixtures("parquet")
def test_two_models_never_mix(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan(*FLAGS).run() == 0
    monkeypatch.setenv("SHOUT_MARK", "?")
    assert plan(*FLAGS).verify() == 1
    assert plan(*FLAGS).run() == 0
    folders = sorted((workspace / "out").glob("model=*"))
    assert len(folders) == 2
    marks = {pq.read_table(folder / "data")["shout"][0].as_py()[-1] for folder in folders}
    assert marks == {"!", "?"}


def test_changed_model_half_way_starts_with_its_own_folder(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(workspace / "in/a.parquet", ROWS, 10)
    half = plan(*FLAGS, *SMALL)
    calls = iter(range(100))
    half.interrupt = lambda: interrupt_at(next(calls), 2)
    with pytest.raises(InterruptedError):
        half.run()
    monkeypatch.setenv("SHOUT_MARK", "?")
    assert plan(*FLAGS, *SMALL).run() == 0
    monkeypatch.delenv("SHOUT_MARK")
    assert count_made(*FLAGS, *SMALL) == len(half.parts) - 2


def interrupt_at(call: int, last: int) -> None:
    if call == last:
        raise InterruptedError


def test_too_many_rejected_rows_fail_the_run_after_a_minimum(workspace: Path) -> None:
    texts = ["refuse"] * 30 + ["a"] * 970
    write_lines(workspace / "in/a.jsonl", [{"text": text} for text in texts])
    flags = ("--input", "in", "--output", "out")
    with pytest.raises(
        MeshError, match=r"30 of 1,000 rows are rejected, more than 1\.00% \(refused: 30\)"
    ):
        plan(*flags).run()
    assert not list(workspace.glob("out/*/_SUCCESS"))
    assert count_made(*flags, "--max-rejected", "0.03") == 0
    assert plan(*flags, "--max-rejected", "0.03").verify() == 0
    assert plan("--input", "in", "--output", "few", "--max-rejected-after", "1001").run() == 0


def test_service_that_is_down_rejects_no_row(workspace: Path) -> None:
    write_lines(workspace / "in/a.jsonl", [{"text": "down"}])
    with pytest.raises(Exception, match="The other service is down"):
        plan("--input", "in", "--output", "out").run()
    assert not list(workspace.glob("out/*/data/*"))


@pytest.mark.usefixtures("parquet")
@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda out: (out / "_SUCCESS").unlink(), "has no _SUCCESS"),
        (lambda out: (out / "manifest.json").unlink(), "has no manifest.json"),
        (lambda out: (out / "manifest.json").write_text("{}"), "is malformed"),
        (lambda out: (out / "data/other.parquet").write_text(""), "data/other.parquet is not in"),
        (
            lambda out: next((out / "data").iterdir()).write_text(""),
            "is missing or has other content",
        ),
    ],
)
def test_verification_names_what_is_wrong(
    damage: Any, sentence: str, workspace: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert plan(*FLAGS, *SMALL).run() == 0
    assert plan(*FLAGS, *SMALL).verify() == 0
    damage(results(workspace / "out"))
    assert plan(*FLAGS, *SMALL).verify() == 1
    assert sentence in caplog.text


def test_verification_sees_rows_of_other_input(workspace: Path, parquet: Path) -> None:
    assert plan(*FLAGS, *SMALL).run() == 0
    write_parquet(parquet, [*ROWS, {"id": "new", "text": "x", "n": 1}], 10)
    assert plan(*FLAGS, *SMALL).verify() == 1


@pytest.mark.usefixtures("parquet")
def test_full_disk_is_a_sentence_and_leaves_nothing(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "publish", full)
        with pytest.raises(MeshError, match=r"out/model=\w+ can't be used: No space left"):
            plan(*FLAGS).run()
    assert not any((results(workspace / "out") / "_partial").iterdir())
    assert plan(*FLAGS).run() == 0


@pytest.mark.usefixtures("parquet")
def test_input_that_changes_while_it_is_read_fails_its_shard(workspace: Path) -> None:
    changed = plan(*FLAGS)
    changed.interrupt = lambda: write_parquet(  # type: ignore[assignment]
        workspace / "in/a.parquet", [{**row, "text": "other"} for row in ROWS], 10
    )
    with pytest.raises(MeshError, match="a.parquet was changed while it was read"):
        changed.run()
    assert plan(*FLAGS).run() == 0


@pytest.mark.usefixtures("parquet")
def test_second_backfill_of_the_same_output_is_refused() -> None:
    first = plan(*FLAGS)
    first.interrupt = lambda: plan(*FLAGS).run()  # type: ignore[assignment]
    with pytest.raises(MeshError, match="Another backfill writes to"):
        first.run()


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
