"""Features get a permanent name."""

import shutil
from pathlib import Path

import pytest

from mesh.lifecycle.register_tag import TagSettings, tag
from tiny_data import PROJECT, Place


def tag_as(place: Place, name: str) -> None:
    tag(PROJECT, TagSettings(tag=name), place.workspace, place.data)


def test_repeated_tag_repairs_what_dvc_has(place, caplog):
    place.ingest()
    place.register(validation_share=0.2, test_share=0.2)
    with caplog.at_level("INFO"):
        for _ in range(2):
            tag_as(place, "dataset_v1")
        shutil.rmtree(Path(place.data.root) / "tiny/dvc")
        tag_as(place, "dataset_v1")
    said = [message for message in caplog.messages if message.startswith("dataset_v1")]
    verbs = ["names", "already names", "has its files in the DVC remote again and names"]
    url = place.features.url(place.features.get().version)
    assert said == [f"dataset_v1 {verb} {url} (60 rows)" for verb in verbs]
    shutil.rmtree(url)
    assert place.features.problems(place.features.get("dataset_v1")) == []


@pytest.mark.parametrize("name", ["../x", "latest", "cafe"])
def test_name_that_is_no_tag_is_refused_before_anything_is_read(name):
    with pytest.raises(ValueError, match="tag"):
        TagSettings(tag=name)
