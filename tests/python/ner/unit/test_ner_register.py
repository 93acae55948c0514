from pathlib import Path

import pytest

from mesh.data.splitting import SPLITS
from mesh.data.store import DataSettings, DataStore
from ner.ingest.ingest import main as ingest
from ner.project import PROJECT
from ner.register.register import main as register


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataStore:
    monkeypatch.setenv("MESH_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("DATA_ROOT", str(tmp_path / "data"))
    return DataStore(PROJECT, "features", DataSettings())


def test_shipped_samples_become_features(store, tmp_path):
    assert ingest.main([]) == 0
    assert register.main([]) == 0
    manifest = store.get()
    with store.local(manifest, tmp_path) as local:
        rows = [(split, row) for split in SPLITS for row in local.rows(split)]
    assert len(rows) >= 1000
    clusters = {(row["cluster"], split) for split, row in rows}
    assert len(clusters) == len({cluster for cluster, _ in clusters})
    assert 0.07 < sum(split == "test" for split, _ in rows) / len(rows) < 0.13


def test_register_without_data_says_what_to_run(store, capsys):
    assert register.main([]) == 1
    assert "run ingest:ingest first" in capsys.readouterr().err
