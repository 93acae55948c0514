"""The history of aliases, and rolling them back."""

import datetime

import pytest

from mesh.core.errors import MeshError, UsageError
from mesh.registry.factory import open_registry

ON_EVERY_REGISTRY = True

NAME = "KEYWORDS-TRAINED"


@pytest.fixture
def published(registry, source, card):
    for _ in range(3):
        registry.publish(NAME, source, card)
    return registry


def moves(registry):
    return [(move.alias, move.before, move.after, move.undo) for move in registry.history(NAME)]


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
