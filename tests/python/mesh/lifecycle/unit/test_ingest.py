"""Files become a raw version, with an account of every row."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.lifecycle.ingest_settings import IngestSettings
from tiny_data import Place, opinion


def test_rows_are_stored_with_their_origin(place):
    place.ingest()
    manifest = place.raw.get()
    assert manifest.rows == 60
    assert manifest.source["rejected"] == 0
    assert manifest.source["files"][0]["name"] == str(place.source)
    assert manifest.source["files"][0]["revision"].startswith("sha256:")
    table = pq.read_table(Path(place.raw.url(manifest.version)) / "all-00000.parquet")
    assert table.to_pylist() == [opinion(number) for number in range(60)]


def test_other_rows_are_another_version_and_the_first_stays(place):
    place.ingest()
    first = place.raw.get()
    place.write([opinion(number) for number in range(61)])
    place.ingest()
    second = place.raw.get()
    assert (first.rows, second.rows) == (60, 61)
    assert place.raw.get(first.version) == first
    assert place.raw.problems(first) == []


def test_going_back_to_the_first_source_makes_its_version_the_latest(place):
    place.ingest()
    first = place.raw.get()
    place.write([opinion(number) for number in range(61)])
    place.ingest()
    place.write([opinion(number) for number in range(60)])
    place.ingest()
    assert place.raw.get() == first


def test_malformed_rows_are_kept_aside_with_line_and_reason(place):
    rows = [opinion(number) for number in range(60)]
    place.write([*rows[:10], {"text": "x"}, "no object", *rows[10:]])
    place.ingest(max_rejected_share=0.1)
    manifest = place.raw.get()
    assert (manifest.rows, manifest.source["rejected"]) == (60, 2)
    stored = Path(place.raw.url(manifest.version)) / "rejects.jsonl"
    records = [json.loads(line) for line in stored.read_text().splitlines()]
    assert [(record["line"], record["reason"]) for record in records] == [
        (11, "language: Field required"),
        (12, "not a JSON object"),
    ]


def test_too_many_malformed_rows_store_nothing_and_leave_the_rejects(place):
    place.write([opinion(1), {"text": "x"}])
    with pytest.raises(
        MeshError, match=r"1 of 2 rows \(50.0%\) are malformed.*INGEST_MAX_REJECTED_SHARE=0.01"
    ) as caught:
        place.ingest()
    assert place.raw.versions() == []
    rejects = place.rejects / "ingest/rejects.jsonl"
    assert str(rejects) in str(caught.value)
    assert len(rejects.read_text().splitlines()) == 1


def test_source_without_a_good_row_is_refused(place):
    place.write([])
    with pytest.raises(MeshError, match="No row fits the project's schema: there is none"):
        place.ingest()


def test_unknown_format_is_a_sentence(place):
    with pytest.raises(
        UsageError, match="set INGEST_FORMAT to one of conll, csv, json, jsonl, parquet, tsv"
    ):
        place.ingest(format="xml")


def test_several_sources_are_read_each_in_its_own_way(place: Place, tmp_path: Path) -> None:
    place.write([opinion(number) for number in range(200)])
    stars = tmp_path / "stars.csv"
    stars.write_text("review;stars\nFine, really;5\nBad, really;1,0\nWorse;1\n", encoding="utf-16")
    own = {
        "source": str(stars),
        "rename": {"review": "text", "stars": "label"},
        "values": {"label": {"1-2": "bad", "4-5": "good"}},
        "defaults": {"language": "English", "domain": "shop"},
    }
    half = {"source": str(place.source), "weight": 0.5}
    place.ingest(source=json.dumps([half, own]), max_rejected_share=0.5)
    [version] = place.raw.versions()
    with place.raw.local(place.raw.get(version), tmp_path) as local:
        rows = list(local.rows("all"))
    shop = [(row["text"], row["label"], row["language"]) for row in rows if row["domain"] == "shop"]
    assert sorted(shop) == [
        ("Bad, really", "bad", "en"),
        ("Fine, really", "good", "en"),
        ("Worse", "bad", "en"),
    ]
    assert 60 < len(rows) - len(shop) < 140


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("[", "begins like a JSON list"),
        ("[]", "lists no source"),
        ('[{"weight": 1}]', "source: Field required"),
        ('[{"source": "a", "weight": 2}]', "weight"),
        ('[{"source": "a", "weigth": 1}]', "weigth"),
        ('[{"source": "a", "encoding": "utf9"}]', "isn't an encoding"),
        ('[{"source": "a", "offsets": "words"}]', "isn't a way to count"),
        ('[{"source": "a", "delimiter": "::"}]', "isn't a delimiter"),
    ],
)
def test_malformed_lists_of_sources_are_refused(source: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        IngestSettings(source=source)


def test_too_many_rejects_name_their_commonest_reason(place: Place) -> None:
    place.write([opinion(1), *(opinion(number, label="posit") for number in range(20))])
    with pytest.raises(MeshError, match="most of them: unknown label 'posit'"):
        place.ingest()


@pytest.mark.parametrize(
    ("labels", "warning"),
    [
        (["good"], "'good' is the only label"),
        (["good", "good", "good", "bad"], "'bad' is in 1 rows, fewer than there are splits"),
    ],
)
def test_labels_that_make_no_useful_model_are_warned_of(
    place: Place, capsys: pytest.CaptureFixture[str], labels: list[str], warning: str
) -> None:
    place.write([opinion(number, label=label) for number, label in enumerate(labels)])
    place.ingest()
    assert f"warning: {warning}" in capsys.readouterr().out


def test_dry_run_shows_rows_of_each_source(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = [opinion(1, text="<br>"), opinion(1, text="the other source")]
    (tmp_path / "other.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in others))
    place.ingest(
        source=json.dumps([str(place.source), str(tmp_path / "other.jsonl")]), dry_run=True
    )
    shown = capsys.readouterr().out
    assert "dropped: clean-up" in shown
    assert "bad: apple" in shown
    assert "good: the other source" in shown


def test_dry_run_shows_rows_and_stores_nothing(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.write([opinion(number, text=f"<p>fine &amp; {number}</p>") for number in range(30)])
    place.ingest(dry_run=True)
    shown = capsys.readouterr().out
    assert "fine & 9" in shown
    assert "fine & 10" not in shown
    assert place.raw.versions() == []


def test_settings_of_a_single_source_are_inputs(place: Place) -> None:
    translated = {"source": str(place.source), "values": {"label": {"good": "bad"}}}
    place.ingest(source=json.dumps([str(place.source)]))
    place.ingest(source=json.dumps([translated]))
    assert len(place.raw.versions()) == 2


def test_passwords_of_sources_are_not_shown() -> None:
    sources = json.dumps(["s3://key:secret@bucket/a.csv", {"source": "shipped", "weight": 0.5}])
    shown = IngestSettings(source=sources).model_dump(mode="json")["source"]
    assert json.loads(shown) == [
        {"source": "s3://key:***@bucket/a.csv"},
        {"source": "shipped", "weight": 0.5},
    ]
