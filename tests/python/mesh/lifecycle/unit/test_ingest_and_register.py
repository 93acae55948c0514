import json
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq
import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings
from mesh.data.card import DataCard
from mesh.data.dataset import AnnotatedText, ClassifiedText, Dataset
from mesh.data.store import DataSettings, DataStore
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


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write([opinion(number) for number in range(60)])
    return place


def files_below(folder: str) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


def test_rows_are_stored_with_their_origin(place):
    place.ingest()
    manifest = place.raw.get()
    assert manifest.rows == 60
    assert manifest.source["rejected"] == 0
    assert manifest.source["files"][0]["name"] == str(place.source)
    assert manifest.source["files"][0]["revision"].startswith("sha256:")
    table = pq.read_table(Path(place.raw.url(manifest.version)) / "all-00000.parquet")
    assert table.to_pylist() == [opinion(number) for number in range(60)]


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
    assert sum(after[name] != split for name, split in before.items()) <= 2


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
