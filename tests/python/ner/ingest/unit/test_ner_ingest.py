from pathlib import Path

import pytest

from mesh.core.steps import find_program
from mesh.data.settings import DataSettings
from mesh.data.store import DataStore
from ner.labels import LABELS
from ner.project import PROJECT

main = find_program(PROJECT, "ingest:ingest")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataStore:
    monkeypatch.setenv("MESH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("DATA_ROOT", str(tmp_path / "data"))
    return DataStore(PROJECT, "raw", DataSettings())


def test_all_shipped_samples_fit_the_schema(store, tmp_path):
    assert main.main([]) == 0
    manifest = store.get()
    assert manifest.source["rejected"] == 0
    with store.local(manifest, tmp_path) as local:
        rows = list(local.rows("all"))
    assert len(rows) >= 1000
    assert {entity["label"] for row in rows for entity in row["entities"]} == set(LABELS)
    assert any(not row["entities"] for row in rows)


def test_tagged_tokens_are_read_by_settings(store, tmp_path):
    (tmp_path / "tweets.conll").write_text(
        "Back\tO\nin\tO\nGA\tB-geo-loc\n.\tO\n\nListening\tO\nto\tO\nit\tB-other\n"
    )
    flags = [
        "--source", str(tmp_path / "tweets.conll"),
        "--values", '{"label": {"geo-loc": "LOC", "other": null}}',
        "--defaults", '{"language": "en", "domain": "social"}',
    ]  # fmt: skip
    assert main.main(flags) == 0
    with store.local(store.get(), tmp_path) as local:
        rows = list(local.rows("all"))
    assert rows[0]["text"] == "Back in GA ."
    assert rows[0]["entities"] == [{"start": 8, "end": 10, "label": "LOC"}]
    assert rows[1]["entities"] == []
