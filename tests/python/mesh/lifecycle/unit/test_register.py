"""A raw version becomes features in splits."""

from pathlib import Path
from typing import Any

import pytest

from mesh.core.errors import MeshError
from mesh.data.card import DataCard
from mesh.data.dataset import AnnotatedText, Dataset
from mesh.lifecycle.ingest import ingest
from mesh.lifecycle.ingest_settings import IngestSettings
from mesh.lifecycle.register import RegisterSettings, register
from tiny_data import PROJECT, WORDS, Place, opinion


def files_below(folder: str) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


def test_features_have_ids_splits_and_a_card(place):
    place.ingest()
    place.register(validation_share=0.2, test_share=0.2)
    manifest = place.features.get()
    folder = Path(place.features.url(manifest.version))
    counts = {shard.part: shard.rows for shard in manifest.shards}
    assert sum(counts.values()) == 60
    assert 10 <= counts["test"] <= 14
    card = DataCard.model_validate_json((folder / "data_card.json").read_text())
    assert card.rows == counts
    assert {split: sum(found.values()) for split, found in card.labels.items()} == counts
    assert card.raw_version == manifest.source["raw_version"] == place.raw.get().version
    assert card.account == manifest.source["account"]
    assert card.account["ingest"]["read"] == card.account["register"]["taken"] == 60
    page = (folder / "data_card.md").read_text()
    assert "## Rows in register\n\n| rows | number |\n|---|---|\n| read | 60 |" in page
    assert "![plots/labels.png](plots/labels.png)" in page
    assert "| bad | good |" in page
    for plot in ("labels", "lengths"):
        assert (folder / f"plots/{plot}.png").read_bytes().startswith(b"\x89PNG")
    with place.features.local(manifest, folder) as local:
        assert set(next(local.rows("train"))) == {
            "id",
            "cluster",
            "text",
            "label",
            "language",
            "domain",
        }


def test_added_row_leaves_the_splits_of_the_others(place):
    def splits() -> dict[str, str]:
        manifest = place.features.get()
        with place.features.local(manifest, Path(place.data.root)) as local:
            return {
                row["id"]: part
                for part in ("train", "validation", "test")
                for row in local.rows(part)
            }

    place.ingest()
    place.register()
    before = splits()
    place.write([opinion(number) for number in range(61)])
    place.ingest()
    place.register()
    after = splits()
    assert len(after) == 61
    assert before.items() <= after.items()


def test_same_raw_version_gives_the_same_features_wherever_it_is_stored(place, tmp_path):
    place.ingest()
    place.register()
    other = Place(tmp_path / "other")
    other.source.parent.mkdir()
    other.write([opinion(number) for number in reversed(range(60))])
    other.ingest()
    other.register()
    assert other.raw.get().version != place.raw.get().version
    assert other.features.get().version == place.features.get().version


def test_other_seed_is_another_version(place):
    place.ingest()
    place.register()
    place.register(seed=2)
    assert len(place.features.versions()) == 2


def test_too_many_mistakes_store_nothing(place):
    rows = [opinion(number) for number in range(60)]
    place.write([*rows, *(opinion(number, label="bad") for number in range(60) if number % 3)])
    place.ingest()
    with pytest.raises(MeshError, match=r"80 of 100 rows \(80.0%\) have mistakes"):
        place.register()
    assert place.features.versions() == []
    assert len((place.rejects / "register/rejects.jsonl").read_text().splitlines()) == 80


def test_too_few_rows_to_split_are_refused(place):
    place.write([opinion(1), opinion(2)])
    place.ingest()
    with pytest.raises(MeshError, match="2 rows are too few to split"):
        place.register()


def test_register_before_ingest_names_the_step_to_run(place):
    with pytest.raises(MeshError, match="run ingest:ingest first"):
        place.register()


@pytest.mark.parametrize(
    "wrong", [{"validation_share": 0.5, "test_share": 0.5}, {"related": 0.9}, {"near_duplicate": 0}]
)
def test_meaningless_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must|greater than 0"):
        RegisterSettings(**wrong)


def test_entities_point_into_the_cleaned_text(tmp_path):
    dataset = Dataset(project=PROJECT, row=AnnotatedText, samples="none:none")
    rows: list[dict[str, Any]] = [
        {
            "text": f"<p>{WORDS[number]} {WORDS[-number]} &amp; met  Anna{number} Berg</p>",
            "entities": [{"start": 0, "end": 0, "label": "PER"}],
            "language": "en",
            "domain": "news",
        }
        for number in range(30)
    ]
    for row in rows:
        start = str(row["text"]).index("Anna")
        row["entities"] = [
            {"start": start, "end": len(str(row["text"])) - len("</p>"), "label": "PER"}
        ]
    place = Place(tmp_path)
    place.write(list(rows))
    settings = IngestSettings(source=str(place.source))
    ingest(dataset, settings, place.workspace, place.data)
    register(dataset, RegisterSettings(), place.workspace, place.data)
    with place.features.local(place.features.get(), tmp_path) as local:
        found = [row for part in ("train", "validation", "test") for row in local.rows(part)]
    assert len(found) == 30
    for row in found:
        [entity] = row["entities"]
        assert row["text"][entity["start"] : entity["end"]].startswith("Anna")
        assert row["text"].endswith("Berg")
        assert " & met Anna" in row["text"]


def test_every_row_is_accounted_for(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[object] = [opinion(number) for number in range(60)]
    rows += [opinion(61, label="goood"), opinion(62, label="goood"), opinion(63, label="baad"), []]
    rows += [opinion(64, text="  fine   <b>place</b> "), opinion(65, language="Klingonish")]
    place.write(rows)
    place.ingest(max_rejected_share=0.2)
    shown = capsys.readouterr().out
    place.register()
    [raw] = [place.raw.get(version) for version in place.raw.versions()]
    account = raw.source["account"]
    assert account["read"] == len(rows)
    assert account["read"] == account["taken"] + sum(account["dropped"].values())
    assert "did you mean 'good'?" in shown
    assert "did you mean 'bad'?" in shown
    features = place.features.get("latest")
    both = features.source["account"]
    assert both["ingest"] == account
    assert both["register"]["read"] == account["taken"]
    assert both["register"]["changed"] == 1
    assert any("read" in line for line in capsys.readouterr().out.splitlines())


def test_second_run_changes_nothing_and_says_so(place, caplog):
    place.ingest()
    place.register()
    before = files_below(place.data.root)
    with caplog.at_level("INFO"):
        place.ingest()
        place.register()
    assert files_below(place.data.root) == before
    assert [record.message for record in caplog.records if "up to date" in record.message] == [
        f"{store.url(store.get().version)} is up to date: nothing it depends on has changed"
        for store in (place.raw, place.features)
    ]


def test_forced_run_finds_the_same_version(place):
    place.ingest()
    place.register()
    before = files_below(place.data.root)
    place.ingest(force=True)
    place.register(force=True)
    assert files_below(place.data.root) == before


def test_damaged_version_is_repaired_by_the_next_run(place):
    place.ingest()
    shard = Path(place.raw.url(place.raw.get().version)) / "all-00000.parquet"
    intact = shard.read_bytes()
    shard.write_bytes(intact[:100])
    with pytest.raises(MeshError, match="damaged.*run ingest:ingest again"):
        place.register()
    place.ingest()
    assert shard.read_bytes() == intact
