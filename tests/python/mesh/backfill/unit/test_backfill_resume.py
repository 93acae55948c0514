"""A backfill that is interrupted, damaged or made again ends with each row once, or says why not."""

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

from mesh.backfill.storage import Folder
from mesh.core.errors import MeshError
from shout_project import (
    FLAGS,
    ROWS,
    SMALL,
    InProcess,
    count_ids,
    plan,
    read_table,
    results,
    snapshot,
    write_lines,
    write_parquet,
)


@settings(max_examples=12)
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
