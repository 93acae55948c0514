"""Neptune with versions' files on S3: their places, their owners, their removal."""

import gc

import boto3
import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.core.manifest import Manifest
from mesh.registry.factory import open_registry
from mesh.registry.neptune.objects import ObjectsError
from services import s3 as s3_service

pytestmark = pytest.mark.filterwarnings("ignore")

NAME = "KEYWORDS-TRAINED"
ROOT = f"neptune/registry/team/keywords/{NAME}/"
MODEL = "model/model_artifacts/model.bin"


@pytest.fixture
def place(neptune_s3_place):
    return neptune_s3_place


@pytest.fixture
def reopen(registry_settings):
    """The same server, with other settings."""
    return lambda **update: open_registry(registry_settings.model_copy(update=update))


def test_layout(registry, registry_settings, s3, neptune_server, source, card):
    registry.publish(NAME, source, card)
    registry.attach(f"{NAME}-1", "test_results/v1/report.json", source / "test_files/inputs.json")
    fields = {
        "model/model_artifacts-2/b.txt",
        "model/model_artifacts/config.json",
        MODEL,
        "model/notes/déjà vu [1].txt",
        "model/test_files/inputs",
    }
    assert set(s3.paths()) == {f"{ROOT}{NAME}-1/{field}" for field in fields}
    assert {path.removeprefix(f"{NAME}-1:") for path in neptune_server.paths()} == {
        "model/model_card",
        "model/manifest",
        "model/model_artifacts/empty",
        "model/test_results/v1/report.json",
    }
    # As any other user of Neptune's client sees it; importing it warns of its own modules.
    import neptune  # pants: no-infer-dep

    token = registry_settings.token.get_secret_value()
    with neptune.init_model_version(
        with_id=f"{NAME}-1", project="team/keywords", api_token=token, mode="read-only"
    ) as version:
        (file,) = version[MODEL].fetch_files_list()
    assert file.metadata["location"] == f"s3://{s3_service.BUCKET}/{ROOT}{NAME}-1/{MODEL}"
    assert file.size == (source / "model_artifacts/model.bin").stat().st_size


def test_identical_versions_have_their_own_files(registry, source, card, tmp_path):
    for _ in range(2):
        registry.publish(NAME, source, card)
    registry.delete(f"{NAME}-1")
    assert registry.verify(f"{NAME}-2") == []
    registry.fetch(f"{NAME}-2", tmp_path / "fetched")


def test_identical_files_of_a_version_are_each_verified(registry, s3, source, card):
    for folder in ("a", "b"):
        (source / folder).mkdir()
        (source / folder / "same.bin").write_bytes(b"same")
    registry.publish(NAME, source, card)
    s3.write(f"{ROOT}{NAME}-1/model/b/same.bin", b"Same")
    (problem,) = registry.verify(f"{NAME}-1")
    assert problem.startswith("b/same.bin has other content")


def test_names_that_begin_with_another_name(registry, source, card, tmp_path):
    for name in ("a", "a.json", "a b", "a-2/c", "a*"):
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(name)
    published = registry.publish(NAME, source, card)
    registry.fetch(f"{NAME}-1", tmp_path / "fetched")
    assert Manifest.of(tmp_path / "fetched") == published.manifest
    assert registry.verify(f"{NAME}-1") == []


def test_versions_are_where_they_were_published(
    registry, registry_settings, reopen, s3, source, card, tmp_path
):
    boto3.client("s3", endpoint_url=s3.endpoint).create_bucket(Bucket="others")
    places = [".mesh/artifacts", "s3://others", "s3://others/stage/", registry_settings.artifacts]
    published = [reopen(artifacts=place).publish(NAME, source, card) for place in places]
    for reader in (reopen(artifacts=place) for place in places):
        for version in published:
            target = tmp_path / reader.root.replace("/", "-") if reader.root else tmp_path / "none"
            reader.fetch(version.reference, target / version.reference)
            assert reader.verify(version.reference) == []
    for version in published[:3]:
        registry.delete(version.reference)
    assert "Contents" not in boto3.client("s3", endpoint_url=s3.endpoint).list_objects_v2(
        Bucket="others"
    )
    assert registry.verify(f"{NAME}-4") == []


def test_only_a_version_s_own_objects_are_removed(registry, s3, source, card):
    for _ in range(2):
        registry.publish(NAME, source, card)
    others = {f"{ROOT}{NAME}-11/{MODEL}", f"{ROOT}{NAME}-1.txt", "neptune/registry/other"}
    for path in others:
        s3.write(path, b"other")
    s3.write(f"{ROOT}{NAME}-1/model/extra", b"extra")
    others |= {path for path in s3.paths() if path.startswith(f"{ROOT}{NAME}-2/")}
    registry.delete(f"{NAME}-1")
    assert set(s3.paths()) == others
    assert registry.verify(f"{NAME}-2") == []


def test_objects_of_someone_else_are_not_touched(registry, s3, source, card):
    s3.write(f"{ROOT}{NAME}-1/model/other", b"other server's")
    with pytest.raises(MeshError, match="model/other already exists.*MESH_REGISTRY_ARTIFACTS"):
        registry.publish(NAME, source, card)
    assert registry.list() == []
    assert s3.paths() == [f"{ROOT}{NAME}-1/model/other"]
    assert registry.publish(NAME, source, card).version == 2


def test_objects_under_the_name_of_an_uploaded_file_are_extra(registry, s3, source, card):
    registry.publish(NAME, source, card)
    extra = f"{ROOT}{NAME}-1/model/model_card"
    s3.write(extra, b"{}")
    assert registry.verify(f"{NAME}-1") == [
        f"s3://{s3_service.BUCKET}/{extra} is not in the manifest"
    ]


def test_storage_that_refuses(registry, s3, source, card, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    registry.publish(NAME, source, card)
    before = s3.paths()
    monkeypatch.setattr(s3.faults, "refusals", 1000)
    refused = "s3://models/.* can't be reached, read or written: .*503"
    with pytest.raises(MeshError, match=refused):
        registry.fetch(f"{NAME}-1", tmp_path / "fetched")
    assert not (tmp_path / "fetched").exists()
    with pytest.raises(MeshError, match=refused):
        registry.publish(NAME, source, card)
    with pytest.raises(MeshError, match=refused):
        registry.verify(f"{NAME}-1")
    monkeypatch.setattr(s3.faults, "refusals", 0)
    assert [version.version for version in registry.list()] == [1]
    assert s3.paths() == before


# boto3 opens a file before it sends it, and leaves it to the garbage collector when the transfer is
# cancelled in between.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_storage_that_fails_half_way_leaves_nothing(registry, s3, source, card, monkeypatch):
    upload = registry.objects.upload

    def fail_at_last(file, address, advance):
        if file.name == "b.txt":
            raise ObjectsError(f"{address} can't be reached, read or written.")
        upload(file, address, advance)

    monkeypatch.setattr(registry.objects, "upload", fail_at_last)
    with pytest.raises(MeshError, match="b.txt can't be reached"):
        registry.publish(NAME, source, card)
    gc.collect()
    assert registry.list() == []
    assert s3.paths() == []


def test_storage_that_fails_while_neptunes_client_tracks_it(
    registry, s3, source, card, monkeypatch, caplog
):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    upload = registry.objects.upload

    def fail_after(file, address, advance):
        upload(file, address, advance)
        if file.name == "b.txt":
            monkeypatch.setattr(s3.faults, "refusals", 1000)

    monkeypatch.setattr(registry.objects, "upload", fail_after)
    with pytest.raises(MeshError, match="503"):
        registry.publish(NAME, source, card)
    monkeypatch.setattr(s3.faults, "refusals", 0)
    assert registry.list() == []
    # It could not remove its objects, either.
    assert "Files of a version that failed remain: s3://models/" in caplog.text


def test_storage_that_fails_while_a_version_is_deleted(registry, s3, source, card, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    registry.publish(NAME, source, card)
    remove = registry.objects.remove

    def fail(prefix):
        monkeypatch.setattr(s3.faults, "refusals", 1000)
        remove(prefix)

    monkeypatch.setattr(registry.objects, "remove", fail)
    with pytest.raises(
        MeshError, match=f"{NAME}-1 is deleted, but some of its files remain: s3://"
    ):
        registry.delete(f"{NAME}-1")
    monkeypatch.setattr(s3.faults, "refusals", 0)
    assert registry.list() == []


def test_bucket_that_is_missing(reopen, source, card):
    registry = reopen(artifacts="s3://nothing/registry")
    with pytest.raises(MeshError, match="s3://nothing/registry/.* is missing"):
        registry.publish(NAME, source, card)
    assert registry.list() == []


def test_neptune_s_own_name_of_the_endpoint(reopen, s3, source, card, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("S3_ENDPOINT_URL", s3.endpoint)
    registry = reopen()
    registry.publish(NAME, source, card)
    assert registry.verify(f"{NAME}-1") == []


@pytest.mark.parametrize(
    "address", ["gs://bucket/models", "s3://", "s3:///x", "s3://b/a*", "s3://b/a//b", "s3://b/a?b"]
)
def test_addresses_that_cannot_be_used(reopen, address):
    with pytest.raises(UsageError, match="MESH_REGISTRY_ARTIFACTS='.*can't be used with Neptune"):
        reopen(artifacts=address)
