"""Damaged and lost files of tagged versions."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh.core.errors import MeshError
from mesh.data.manifest import DataManifest
from mesh.data.store import DataStore
from mesh.data.tags import Tag, Tagging, Tags
from tiny_versions import features_at, publish

FILES = ("manifest.json", "plots/card.md", "test-00000.parquet", "train-00000.parquet")


def remove(path: Path) -> None:
    path.unlink()


def change(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES = (remove, change, cut)


class Tagged:
    """A version tagged as `dataset_v1`, and the folders of its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store: DataStore = features_at(folder / "data")
        self.manifest: DataManifest = self.make("a")
        assert self.tag() == Tagging.NEW
        self.version = Path(self.store.url(self.manifest.version))
        self.remote = folder / "data/tiny/dvc"

    def make(self, name: str, card: str = "card") -> DataManifest:
        return publish(self.store, self.folder / name, train=["one"], test=["two"], card=card)

    def tag(self) -> Tagging:
        return self.store.tag("dataset_v1", self.manifest, self.folder)

    @property
    def objects(self) -> list[Path]:
        """The files in the DVC remote: those of the version, and the list of them."""
        return sorted(path for path in self.remote.rglob("*") if path.is_file())

    @property
    def faults(self) -> list[str]:
        return [fault for faults in self.store.check().values() for fault in faults]

    def is_restored(self) -> bool:
        """Whether DVC has all that makes the version again."""
        shutil.rmtree(self.version)
        return self.store.get("dataset_v1") == self.manifest and not self.faults


@pytest.fixture
def tagged(tmp_path: Path) -> Tagged:
    return Tagged(tmp_path)


def test_what_is_whole_stays_as_it_is(tagged: Tagged) -> None:
    before = {path: path.stat().st_mtime_ns for path in tagged.folder.rglob("*")}
    assert tagged.store.repair() == ([], [])
    assert tagged.faults == []
    assert tagged.tag() == Tagging.SAME
    assert before == {path: path.stat().st_mtime_ns for path in tagged.folder.rglob("*")}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("number", range(5))
def test_damaged_file_in_dvc_is_noticed_and_repaired_by_the_tag(
    tagged: Tagged, damage: Callable[[Path], None], number: int
) -> None:
    assert len(tagged.objects) == 5
    damaged = tagged.objects[number]
    content = damaged.read_bytes()
    damage(damaged)
    if damaged.exists():
        # As DVC leaves files; a link could lead to the user's cache.
        damaged.chmod(0o444)
    [fault] = tagged.faults
    assert "missing or changed" in fault
    assert tagged.tag() == Tagging.REPAIRED
    assert damaged.read_bytes() == content
    assert tagged.tag() == Tagging.SAME
    assert tagged.is_restored()


def test_lost_remote_is_made_again(tagged: Tagged) -> None:
    shutil.rmtree(tagged.remote)
    assert len(tagged.faults) == 1
    assert tagged.tag() == Tagging.REPAIRED
    assert tagged.is_restored()


def test_link_in_the_remote_is_replaced_not_followed(tagged: Tagged) -> None:
    elsewhere = tagged.folder / "elsewhere"
    elsewhere.write_text("mine")
    linked = tagged.objects[0]
    linked.unlink()
    linked.symlink_to(elsewhere)
    assert tagged.tag() == Tagging.REPAIRED
    assert not linked.is_symlink()
    assert elsewhere.read_text() == "mine"


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("number", range(5))
def test_remote_that_lost_the_only_copy_is_a_sentence_until_the_version_is_made_again(
    tagged: Tagged, damage: Callable[[Path], None], number: int
) -> None:
    shutil.rmtree(tagged.version)
    damage(tagged.objects[number])
    with pytest.raises(MeshError, match=r"isn't whole in .*Make it again by register:register"):
        tagged.store.get("dataset_v1")
    assert tagged.store.versions() == []
    done, [failed] = tagged.store.repair()
    assert (done, "isn't whole" in failed) == ([], True)
    # The same rows; the time and the card differ, as after a change of the plots.
    tagged.manifest = tagged.make("again", card="another card")
    assert tagged.tag() == Tagging.REPAIRED
    assert tagged.faults == []
    assert tagged.is_restored()


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES[1:])
def test_damaged_file_of_the_version_is_taken_from_dvc(
    tagged: Tagged, damage: Callable[[Path], None], name: str
) -> None:
    damage(tagged.version / name)
    assert tagged.faults == [f"{name} is missing or changed"]
    with (
        pytest.raises(MeshError, match="mesh data repair"),
        tagged.store.local(tagged.manifest, tagged.folder),
    ):
        pass
    done, failed = tagged.store.repair()
    assert (len(done), failed, tagged.faults) == (1, [], [])


@pytest.mark.parametrize("content", ["", "{}", "not JSON"])
def test_damaged_manifest_is_taken_from_dvc(tagged: Tagged, content: str) -> None:
    (tagged.version / "manifest.json").write_text(content)
    with pytest.raises(MeshError, match="mesh data repair"):
        tagged.store.get("dataset_v1")
    assert tagged.faults
    tagged.store.repair()
    assert tagged.faults == []
    assert tagged.store.get("dataset_v1") == tagged.manifest


def test_files_are_taken_from_both_sides(tagged: Tagged) -> None:
    remove(tagged.version / "train-00000.parquet")
    digests = {path.read_bytes(): path for path in tagged.objects}
    change(digests[(tagged.version / "test-00000.parquet").read_bytes()])
    assert len(tagged.faults) == 2
    done, failed = tagged.store.repair()
    assert (len(done), failed, tagged.faults) == (2, [], [])
    assert tagged.is_restored()


def test_version_without_a_tag_is_reported_and_hides_no_other(tagged: Tagged) -> None:
    other = publish(tagged.store, tagged.folder / "b", train=["three"], test=["four"])
    (Path(tagged.store.url(other.version)) / "manifest.json").write_text("{}")
    remove(tagged.objects[0])
    assert len(tagged.faults) == 2
    done, failed = tagged.store.repair()
    assert (len(done), failed) == (1, [])
    [fault] = tagged.faults
    assert "manifest.json is missing or malformed" in fault


def test_removed_version_stays_removed_while_its_tag_can_restore_it(tagged: Tagged) -> None:
    shutil.rmtree(tagged.version)
    assert tagged.store.repair() == ([], [])
    assert tagged.store.versions() == []


def test_bytes_that_dvc_takes_for_the_same_are_refused(
    tagged: Tagged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC compares by MD5, the manifest by SHA-256."""
    shutil.rmtree(tagged.version)
    fetch = Tags.fetch

    def fetch_changed(tags: Tags, tag: Tag, folder: Path) -> list[str]:
        problems = fetch(tags, tag, folder)
        change(folder / "train-00000.parquet")
        return problems

    monkeypatch.setattr(Tags, "fetch", fetch_changed)
    with pytest.raises(MeshError, match="train-00000.parquet is missing or changed"):
        tagged.store.get("dataset_v1")
    assert tagged.store.versions() == []
