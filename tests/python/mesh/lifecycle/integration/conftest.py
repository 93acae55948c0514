"""Tiny projects, with features ready to train on."""

from pathlib import Path

import pytest

from folder_names import ODD_NAME
from tiny_training import OPINION_ROWS, OPINIONS, OWNER_ROWS, OWNERS, Tiny


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    """Texts call things good or bad."""
    tiny = Tiny(tmp_path / ODD_NAME, OPINIONS)
    tiny.prepare(OPINION_ROWS)
    return tiny


@pytest.fixture
def tiny_tags(tmp_path: Path) -> Tiny:
    """The words before `is` are an owner of one or two words."""
    tiny = Tiny(tmp_path / ODD_NAME, OWNERS)
    tiny.prepare(OWNER_ROWS)
    return tiny
