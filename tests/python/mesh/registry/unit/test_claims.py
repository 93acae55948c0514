"""Publishers of one fingerprint that meet: one makes a version, the others get it."""

import datetime
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from mesh.core.card import ModelCard
from mesh.core.manifest import Manifest
from mesh.registry import claims
from mesh.registry.base import ModelVersion, any_version
from mesh.registry.claims import AlreadyPublishedError, claim_fingerprint, publish_unless

CARD = ModelCard(project="k", model_type="trained", code_revision="r", fingerprint="same")


@dataclass
class Kept:
    """Claims and versions in memory; `before_call` runs before a call of a method, with its name."""

    claims: set[str] = field(default_factory=set)
    versions: list[ModelVersion] = field(default_factory=list)
    before_call: Callable[[str], None] = lambda _: None

    def complete(self) -> ModelVersion:
        version = ModelVersion(
            name="K-TRAINED",
            version=len(self.versions) + 1,
            card=CARD,
            manifest=Manifest(files=()),
            created=datetime.datetime.now(datetime.UTC),
            aliases=(),
            attachments={},
        )
        self.versions.append(version)
        return version

    def once(self, name: str, action: Callable[[], object]) -> None:
        """Run an action before the next call of a method."""

        def before_call(called: str) -> None:
            if called == name:
                self.before_call = lambda _: None
                action()

        self.before_call = before_call


@dataclass
class Publisher:
    kept: Kept
    name: str

    def find(self) -> ModelVersion | None:
        self.kept.before_call("find")
        return self.kept.versions[-1] if self.kept.versions else None

    def claim(self) -> None:
        self.kept.before_call("claim")
        self.kept.claims.add(self.name)

    def withdraw(self) -> None:
        self.kept.before_call("withdraw")
        self.kept.claims.discard(self.name)

    def others(self) -> Collection[str]:
        self.kept.before_call("others")
        return self.kept.claims - {self.name}

    def publish(self, accepts: Callable[[ModelVersion], bool] = any_version) -> ModelVersion:
        def publish() -> ModelVersion:
            claim_fingerprint(self, accepts)
            self.kept.before_call("complete")
            version = self.kept.complete()
            self.kept.claims.discard(self.name)
            return version

        return publish_unless(self.find, accepts, publish)


@pytest.fixture
def kept(monkeypatch):
    monkeypatch.setattr(claims, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(claims, "POLL_SECONDS", 0.001)
    return Kept()


@pytest.mark.parametrize("call", ["find", "claim", "others"])
def test_a_publisher_that_another_one_overtakes_gets_its_version(kept, call):
    kept.once(call, Publisher(kept, "ben").publish)
    assert Publisher(kept, "ann").publish().version == 1
    assert len(kept.versions) == 1


def test_a_publisher_waits_for_one_that_is_about_to_complete_its_version(kept, monkeypatch):
    monkeypatch.setattr(claims, "WAIT_SECONDS", 20)
    with ThreadPoolExecutor(1) as pool:
        waiting = threading.Event()
        second = []

        def start_second() -> None:
            kept.before_call = lambda called: waiting.set() if called == "withdraw" else None
            second.append(pool.submit(Publisher(kept, "ben").publish))
            assert waiting.wait(10)

        kept.once("complete", start_second)
        first = Publisher(kept, "ann").publish()
        assert second[0].result() == first
    assert kept.versions == [first]


def test_a_killed_publisher_blocks_nobody(kept):
    kept.claims.add("killed")
    assert Publisher(kept, "ann").publish().version == 1


def test_a_version_that_will_not_do_is_no_obstacle(kept):
    Publisher(kept, "ann").publish()
    assert Publisher(kept, "ben").publish(lambda _: False).version == 2


def test_a_version_that_will_do_ends_the_claim_with_it(kept):
    kept.once("find", kept.complete)
    with pytest.raises(AlreadyPublishedError, match="K-TRAINED-1 has the same fingerprint"):
        claim_fingerprint(Publisher(kept, "ann"), any_version)


def test_of_many_publishers_at_once_one_makes_a_version(kept, monkeypatch):
    monkeypatch.setattr(claims, "WAIT_SECONDS", 20)
    for _ in range(5):
        together = threading.Barrier(6)
        kept.versions.clear()

        def publish(name: str, barrier: threading.Barrier = together) -> int:
            barrier.wait()
            return Publisher(kept, name).publish().version

        with ThreadPoolExecutor(6) as pool:
            assert set(pool.map(publish, "abcdef")) == {1}
        assert len(kept.versions) == 1
