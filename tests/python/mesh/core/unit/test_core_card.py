import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from mesh.core.card import BaseModelSource, ModelCard, TestFiles
from mesh.core.errors import MeshError


def card(**values: Any) -> ModelCard:
    return ModelCard(
        **{
            "project": "k",
            "model_type": "trained",
            "code_revision": "r",
            "fingerprint": "f",
            **values,
        }
    )


def test_round_trip(tmp_path: Path) -> None:
    written = card(
        base_model=BaseModelSource(uri="hf://org/name", revision="1", digest="d"),
        settings={"a": [1, 2.5, None, {"é": True}]},
        environment={"python": "3.11"},
        test_files=TestFiles(),
    )
    written.write(tmp_path)
    assert ModelCard.read(tmp_path) == written
    assert written.created.utcoffset() == datetime.timedelta(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"model_type": "other"}, "model_type"),
        ({"unknown": 1}, "unknown"),
        ({"fingerprint": None}, "fingerprint"),
    ],
)
def test_malformed_cards_name_the_field(
    tmp_path: Path, change: dict[str, int | str | None], message: str
) -> None:
    content = card().model_dump(mode="json") | change
    (tmp_path / "model_card.json").write_text(json.dumps(content))
    with pytest.raises(MeshError, match=rf"model_card\.json is malformed: {message}"):
        ModelCard.read(tmp_path)


def test_missing_card(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match=r"model_card\.json does not exist"):
        ModelCard.read(tmp_path)


def test_a_card_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        card().fingerprint = "other"  # type: ignore[misc]
