"""The history of aliases, and rolling them back."""

import datetime
import types

import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.registry import history, moving
from mesh.registry.factory import open_registry
from mesh.registry.prune import unneeded

ON_EVERY_REGISTRY = True

NAME = "KEYWORDS-TRAINED"


@pytest.fixture
def published(registry, source, card):
    for _ in range(3):
        registry.publish(NAME, source, card)
    return registry


def moves(registry):
    return [(move.alias, move.before, move.after, move.undo) for move in registry.history(NAME)]


@pytest.fixture
def machine(registry_settings, monkeypatch):
    """The registry as seen from a machine whose clock is wrong by some minutes."""

    def at(minutes):
        wrong = datetime.timedelta(minutes=minutes)
        clock = types.SimpleNamespace(now=lambda zone: datetime.datetime.now(zone) + wrong)
        fake = types.SimpleNamespace(datetime=clock, UTC=datetime.UTC)
        monkeypatch.setattr(history, "datetime", fake)
        user = f"machine {minutes:+}"
        return open_registry(registry_settings.model_copy(update={"user": user}))

    return at


@pytest.mark.parametrize("minutes", [(-12, 0, 7), (0, 7, -12), (7, -12, 0), (7, 0, -12)])
def test_clocks_do_not_order_the_history(published, machine, minutes):
    for version, wrong in enumerate(minutes, 1):
        machine(wrong).alias(f"{NAME}-{version}", "prod")
    made = published.history(NAME)
    assert [move.who for move in made] == [f"machine {wrong:+}" for wrong in minutes]
    assert [move.previous for move in made] == ["", made[0].id, made[1].id]
    assert list(made) != sorted(made, key=lambda move: move.when) or minutes == (-12, 0, 7)
    doomed, reasons = unneeded(published, published.survey(), 1)
    assert [version.version for version in doomed] == [1]
    assert reasons[f"{NAME}-2"] == ["prod can be rolled back to it"]
    for wrong, version in zip(minutes, (2, 1), strict=False):
        assert machine(wrong).rollback(f"{NAME}:prod").version == version
    assert moves(published)[-2:] == [("prod", 3, 2, True), ("prod", 2, 1, True)]


def test_of_two_moves_at_once_one_is_told_so(published, registry_settings, monkeypatch):
    published.alias(f"{NAME}-1", "prod")
    other = open_registry(registry_settings.model_copy(update={"user": "ben"}))
    make = moving._next_move

    def make_after_the_other(*arguments, **options):
        monkeypatch.setattr(moving, "_next_move", make)
        other.alias(f"{NAME}-2", "prod")
        return make(*arguments, **options)

    monkeypatch.setattr(moving, "_next_move", make_after_the_other)
    with pytest.raises(MeshError, match=f"{NAME}:prod was moved to {NAME}-2 by ben at the same"):
        published.alias(f"{NAME}-3", "prod")
    assert published.get(f"{NAME}:prod").version == 2
    assert moves(published) == [("prod", None, 1, False), ("prod", 1, 2, False)]


def test_moves_are_recorded(published, registry_settings):
    started = datetime.datetime.now(datetime.UTC)
    for user, version, alias in (("ann", 1, "prod"), ("ben", 3, "prod"), ("ann", 3, "dev")):
        settings = registry_settings.model_copy(update={"user": user})
        open_registry(settings).alias(f"{NAME}-{version}", alias)
    history = published.history(NAME)
    assert [(move.who, move.alias, move.before, move.after) for move in history] == [
        ("ann", "prod", None, 1),
        ("ben", "prod", 1, 3),
        ("ann", "dev", None, 3),
    ]
    assert started <= history[0].when <= history[1].when <= history[2].when


def test_where_the_alias_points_already_nothing_is_recorded(published):
    for _ in range(2):
        assert published.alias(f"{NAME}-1", "prod").aliases == ("prod",)
    assert moves(published) == [("prod", None, 1, False)]


def test_rollback_goes_one_step_back_each_time(published):
    for version in (1, 2, 3):
        published.alias(f"{NAME}-{version}", "prod")
        published.alias(f"{NAME}-{version}", "dev")
    assert published.rollback(f"{NAME}:prod").reference == f"{NAME}-2"
    assert published.get(f"{NAME}:prod").version == 2
    assert published.rollback(f"{NAME}:prod").reference == f"{NAME}-1"
    with pytest.raises(MeshError, match="points at KEYWORDS-TRAINED-1, and no version before"):
        published.rollback(f"{NAME}:prod")
    assert published.get(f"{NAME}:prod").version == 1
    assert published.get(f"{NAME}:dev").version == 3
    assert [move for move in moves(published) if move[3]] == [
        ("prod", 3, 2, True),
        ("prod", 2, 1, True),
    ]


def test_references_that_cannot_be_rolled_back(published):
    published.alias(f"{NAME}-1", "prod")
    with pytest.raises(MeshError, match="has no alias 'dev'"):
        published.rollback(f"{NAME}:dev")
    for reference in (f"{NAME}-1", f"{NAME}:latest", NAME, ""):
        with pytest.raises(UsageError):
            published.rollback(reference)
    assert moves(published) == [("prod", None, 1, False)]


def test_history_of_a_model_that_does_not_exist(registry):
    with pytest.raises(MeshError, match="No version of KEYWORDS-TRAINED is registered"):
        registry.history(NAME)
    with pytest.raises(UsageError):
        registry.history("keywords")
