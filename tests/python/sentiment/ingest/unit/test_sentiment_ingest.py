from pathlib import Path

import pytest

from mesh.core.steps import find_program
from mesh.data.settings import DataSettings
from mesh.data.store import DataStore
from sentiment.labels import LABELS
from sentiment.project import PROJECT

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
    for domain in {row["domain"] for row in rows}:
        assert {row["label"] for row in rows if row["domain"] == domain} == set(LABELS)


def test_other_data_is_read_by_settings(store, tmp_path):
    (tmp_path / "reviews.tsv").write_text("a fine film\t1\na dull film\t0\n")
    flags = [
        "--source", str(tmp_path / "reviews.tsv"),
        "--columns", '["text", "label"]',
        "--values", '{"label": {"0": "negative", "1": "positive"}}',
        "--defaults", '{"language": "en", "domain": "film"}',
    ]  # fmt: skip
    assert main.main(flags) == 0
    with store.local(store.get(), tmp_path) as local:
        assert [row["label"] for row in local.rows("all")] == ["positive", "negative"]


def test_unknown_label_is_one_sentence(store, tmp_path, capsys):
    (tmp_path / "reviews.csv").write_text("text,label,language,domain\nfine,good,en,film\n")
    assert main.main(["--source", str(tmp_path / "reviews.csv")]) == 1
    assert (
        "error: No row fits the project's schema: unknown label 'good'" in capsys.readouterr().err
    )
    rejects = (tmp_path / "outputs/sentiment/ingest/rejects.jsonl").read_text()
    assert "label: Input should be 'negative', 'neutral' or 'positive'" in rejects


@pytest.mark.parametrize(
    "flags", [["--max-rejected-share", "2"], ["--values", "{"], ["--nonsense"]]
)
def test_wrong_settings_end_with_2(store, flags, capsys):
    try:
        code: object = main.main(flags)
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert "Traceback" not in capsys.readouterr().err
