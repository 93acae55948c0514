"""One version for one fingerprint, though several publishers come with it at the same time."""

import importlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from mesh.registry import claims
from mesh.registry.base import any_version
from mesh.registry.factory import open_registry

ON_EVERY_REGISTRY = True

NAME = "KEYWORDS-TRAINED"
CLAIMS = {
    "mlflow": ("mesh.registry.mlflow.claims", "MlflowClaims"),
    "neptune": ("mesh.registry.neptune.claims", "NeptuneClaims"),
}


@pytest.fixture
def before(registry, registry_settings, monkeypatch):
    """Run an action once, before a call of a method of the backend's claims."""
    module, name = CLAIMS[registry_settings.backend]
    kind = getattr(importlib.import_module(module), name)

    def run_before(method: str, action: Callable[[], object]) -> None:
        original = getattr(kind, method)

        def act(*arguments):
            monkeypatch.setattr(kind, method, original)
            action()
            return original(*arguments)

        monkeypatch.setattr(kind, method, act)

    return run_before


def test_a_fingerprint_that_is_there_is_not_published_again(registry, source, make_card_with):
    first = registry.publish(NAME, source, make_card_with("a"), unless=any_version)
    assert registry.publish(NAME, source, make_card_with("a"), unless=any_version) == first
    second = registry.publish(NAME, source, make_card_with("b"), unless=any_version)
    third = registry.publish(NAME, source, make_card_with("a"), unless=lambda found: found != first)
    fourth = registry.publish(NAME, source, make_card_with("a"))
    assert registry.list(NAME) == [first, second, third, fourth]
    assert [version.card.fingerprint for version in registry.list(NAME)] == ["a", "b", "a", "a"]


def test_a_publisher_that_is_overtaken_gets_the_other_version(
    registry, registry_settings, storage, source, card, before
):
    other = open_registry(registry_settings)
    left, made = registry.leftovers(), []
    before("others", lambda: made.append(other.publish(NAME, source, card)))
    assert registry.publish(NAME, source, card, unless=any_version) == made[0]
    assert registry.list(NAME) == made
    assert registry.verify(made[0].reference) == []
    assert registry.leftovers() == left
    registry.delete(made[0].reference)
    assert storage.paths() == []


def test_a_publisher_waits_for_one_that_is_about_to_make_its_version(
    registry, registry_settings, source, card, before, monkeypatch
):
    monkeypatch.setattr(claims, "WAIT_SECONDS", 60)
    left = registry.leftovers()
    with ThreadPoolExecutor(1) as pool:
        waiting = threading.Event()
        second = []

        def start_second() -> None:
            # Between the first one's claim and its version.
            before("withdraw", waiting.set)
            other = open_registry(registry_settings)
            second.append(pool.submit(other.publish, NAME, source, card, unless=any_version))
            assert waiting.wait(60)

        before("find", start_second)
        first = registry.publish(NAME, source, card, unless=any_version)
        assert second[0].result() == first
    assert registry.list(NAME) == [first]
    assert registry.leftovers() == left


PUBLISH_UNTIL_CLAIMED = """
import mesh.registry.{backend}.registry as module
from mesh.registry.base import any_version
claim = module.claim_fingerprint

def claim_and_stop(*arguments):
    claim(*arguments)
    stop()

module.claim_fingerprint = claim_and_stop
registry.publish({name!r}, Path({source!r}), card, unless=any_version)
"""


def test_a_killed_publisher_blocks_nobody(
    kill_stopped, registry, registry_settings, source, make_card_with, monkeypatch
):
    monkeypatch.setattr(claims, "WAIT_SECONDS", 0.3)
    backend = registry_settings.backend
    kill_stopped(PUBLISH_UNTIL_CLAIMED.format(backend=backend, name=NAME, source=str(source)))
    card = make_card_with("killed")
    version = registry.publish(NAME, source, card, unless=any_version)
    assert registry.list(NAME) == [version]
    assert registry.verify(version.reference) == []
