import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.core.errors import MeshError, UsageError
from mesh.data.difference import Difference
from mesh.data.store import DataStore
from mesh.data.tags import Tagging
from tiny_versions import features_at, publish


@pytest.fixture
def store(tmp_path: Path) -> DataStore:
    return features_at(tmp_path / "data")


def test_tag_gives_back_the_same_bytes_after_later_versions_and_after_removal(
    store: DataStore, tmp_path: Path
) -> None:
    first = publish(store, tmp_path / "a", train=["one", "two"], test=["three"])
    assert store.tag("dataset_v1", first, tmp_path) == Tagging.NEW
    second = publish(store, tmp_path / "b", train=["four"], test=["five"])
    assert store.tag("dataset_v2", second, tmp_path) == Tagging.NEW
    assert (store.get("dataset_v1"), store.get("dataset_v2"), store.get()) == (
        first,
        second,
        second,
    )
    assert (store.tags_of(first), store.tags_of(second)) == (["dataset_v1"], ["dataset_v2"])

    shutil.rmtree(store.url(first.version))
    assert store.versions() == [second.version]
    assert store.get("dataset_v1") == first
    local = store.fetch(first, tmp_path / "fetched")
    assert [row["text"] for row in local.rows("train")] == ["one", "two"]
    assert store.get() == second


def test_tag_never_moves(store: DataStore, tmp_path: Path) -> None:
    first = publish(store, tmp_path / "a", train=["one"], test=["two"])
    second = publish(store, tmp_path / "b", train=["three"], test=["four"])
    store.tag("dataset_v1", first, tmp_path)
    assert store.tag("dataset_v1", first, tmp_path) == Tagging.SAME
    with pytest.raises(MeshError, match=f"dataset_v1 already names the version {first.version}"):
        store.tag("dataset_v1", second, tmp_path)


@pytest.mark.parametrize("name", ["../x", "latest", "cafe"])
def test_name_that_is_no_tag_is_refused(store: DataStore, tmp_path: Path, name: str) -> None:
    manifest = publish(store, tmp_path / "a", train=["one"], test=["two"])
    with pytest.raises(UsageError, match="isn't a tag"):
        store.tag(name, manifest, tmp_path)
    assert store.tags_of(manifest) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(data=st.data())
def test_no_tag_changes_what_names_of_versions_mean(tmp_path: Path, data: st.DataObject) -> None:
    """Whatever an older program allowed as a tag: it isn't taken for another version in silence."""
    store = features_at(tmp_path / "data")
    if not store.versions():
        publish(store, tmp_path / "a", train=["one"], test=["two"])
        publish(store, tmp_path / "b", train=["three"], test=["four"])
    newest = store.get()
    [tagged] = [store.get(name) for name in store.versions() if name != newest.version]
    length = data.draw(st.integers(1, 16))
    name = data.draw(st.sampled_from(["latest", newest.version[:length], tagged.version[:length]]))
    store.tag("good", tagged, tmp_path)
    tags = tmp_path / "data/tiny/tags"
    shutil.copyfile(tags / "good.dvc", tags / f"{name}.dvc")
    try:
        if name in ("latest", newest.version):
            assert store.get(name) == newest
        elif newest.version.startswith(name):
            with pytest.raises(MeshError, match="ambiguous.*mesh data untag tiny"):
                store.get(name)
        else:
            assert store.get(name) == tagged
        assert any("choose another tag" in str(found) for found in store.check().values())
    finally:
        store.untag(name)
    assert store.tags_of(tagged) == ["good"]


def test_removed_version_is_not_replaced_by_a_tag_of_its_name(
    store: DataStore, tmp_path: Path
) -> None:
    first = publish(store, tmp_path / "a", train=["one"], test=["two"])
    second = publish(store, tmp_path / "b", train=["three"], test=["four"])
    store.tag("good", first, tmp_path)
    tags = tmp_path / "data/tiny/tags"
    (tags / "good.dvc").rename(tags / f"{second.version}.dvc")
    shutil.rmtree(store.url(second.version))
    with pytest.raises(MeshError, match=f"0 versions in .* begin with '{second.version}'"):
        store.get(second.version)


def test_removed_tag_names_nothing_and_can_be_given_again(store: DataStore, tmp_path: Path) -> None:
    first = publish(store, tmp_path / "a", train=["one"], test=["two"])
    second = publish(store, tmp_path / "b", train=["three"], test=["four"])
    store.tag("dataset_v1", first, tmp_path)
    store.untag("dataset_v1")
    with pytest.raises(MeshError, match="0 versions"):
        store.get("dataset_v1")
    assert store.versions() == sorted((first.version, second.version))
    store.tag("dataset_v1", second, tmp_path)
    assert store.get("dataset_v1") == second
    with pytest.raises(MeshError, match="tiny has no tag 'other'; there are: dataset_v1"):
        store.untag("other")


def test_last_tag_of_a_removed_version_is_kept_unless_forced(
    store: DataStore, tmp_path: Path
) -> None:
    manifest = publish(store, tmp_path / "a", train=["one"], test=["two"])
    store.tag("dataset_v1", manifest, tmp_path)
    store.tag("dataset_v2", manifest, tmp_path)
    shutil.rmtree(store.url(manifest.version))
    store.untag("dataset_v1")
    with pytest.raises(MeshError, match=f"{manifest.version} was removed from the store.*--force"):
        store.untag("dataset_v2")
    assert store.get("dataset_v2") == manifest
    shutil.rmtree(store.url(manifest.version))
    store.untag("dataset_v2", force=True)
    assert store.tags_of(manifest) == []


def test_malformed_tag_is_one_sentence_hides_no_other_and_can_be_removed(
    store: DataStore, tmp_path: Path
) -> None:
    manifest = publish(store, tmp_path / "a", train=["one"], test=["two"])
    store.tag("dataset_v1", manifest, tmp_path)
    store.tag("dataset_v2", manifest, tmp_path)
    (tmp_path / "data/tiny/tags/dataset_v1.dvc").write_text("{}")
    with pytest.raises(MeshError, match=r"dataset_v1\.dvc is malformed.*mesh data untag tiny"):
        store.get("dataset_v1")
    assert store.tags_of(manifest) == ["dataset_v2"]
    store.untag("dataset_v1")
    store.tag("dataset_v1", manifest, tmp_path)
    assert store.tags_of(manifest) == ["dataset_v1", "dataset_v2"]


# Of a package that DVC uses.
@pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")
def test_dvc_reads_tags_and_what_dvc_stored_is_read(
    store: DataStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dvc.repo import Repo

    for level in ("GLOBAL", "SYSTEM"):
        monkeypatch.setenv(f"DVC_{level}_CONFIG_DIR", str(tmp_path / "none"))
    manifest = publish(store, tmp_path / "a", train=["one"], test=["two"], card="é")
    store.tag("dataset_v1", manifest, tmp_path)
    stored = Path(store.url(manifest.version))
    remote = tmp_path / "data/tiny/dvc"
    tag_file = tmp_path / "data/tiny/tags/dataset_v1.dvc"
    project = tmp_path / "project"
    (project / ".dvc").mkdir(parents=True)
    (project / ".dvc/config").write_text(
        "[core]\n    no_scm = true\n    analytics = false\n    remote = data\n"
        f"    site_cache_dir = {tmp_path / 'site'}\n['remote \"data\"']\n    url = {remote}\n"
    )
    shutil.copy(tag_file, project)
    with Repo(str(project)) as repo:
        repo.pull(str(project / tag_file.name))
        files = {path.relative_to(stored) for path in stored.rglob("*") if path.is_file()}
        assert len(files) == 4
        for file in files:
            assert (project / "data" / file).read_bytes() == (stored / file).read_bytes()
        [stage] = repo.add(str(project / "data"))
        shutil.rmtree(remote)
        repo.push()
        described = stage.outs[0].dumpd()
    assert {"outs": [described]}.items() <= json.loads(tag_file.read_text()).items()
    shutil.rmtree(stored)
    assert store.get("dataset_v1") == manifest
    assert store.problems(manifest) == []


_CONFIGURATIONS = {
    "links": "[cache]\n    type = symlink,hardlink\n    protected = true\n    dir = /nowhere\n",
    "remotes": "[core]\n    remote = data\n    autostage = true\n['remote \"data\"']\n"
    "    url = s3://elsewhere\n    verify = true\n    worktree = true\n    read_only = true\n",
    "malformed": "[core\nremote",
}


@pytest.mark.parametrize("level", ["GLOBAL", "SYSTEM"])
@pytest.mark.parametrize("content", _CONFIGURATIONS.values(), ids=_CONFIGURATIONS)
def test_the_users_configuration_of_dvc_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str, content: str
) -> None:
    folder = tmp_path / "configuration"
    folder.mkdir()
    (folder / "config").write_text(content)
    monkeypatch.setenv(f"DVC_{level}_CONFIG_DIR", str(folder))
    store = features_at(tmp_path / "data")
    manifest = publish(store, tmp_path / "a", train=["one"], test=["two"])
    store.tag("dataset_v1", manifest, tmp_path)
    shutil.rmtree(store.url(manifest.version))
    assert store.get("dataset_v1") == manifest
    assert not any(path.is_symlink() for path in (tmp_path / "data").rglob("*"))
    assert not any(store.check().values())


def test_differences_are_counted_in_rows(store: DataStore, tmp_path: Path) -> None:
    first = publish(store, tmp_path / "a", train=["one", "two", "two"], test=["three"])
    second = publish(store, tmp_path / "b", train=["one", "three", "new"], test=["two"])
    with store.local(first, tmp_path) as older, store.local(second, tmp_path) as newer:
        found = Difference.between(older, newer)
        assert found.parts == {"train": (3, 3), "test": (1, 1)}
        # One of the two "two" is gone, the other is in another part; so is "three".
        assert (found.removed, found.added, found.moved) == (1, 1, 2)
        assert not found.same
        assert Difference.between(older, older).same
