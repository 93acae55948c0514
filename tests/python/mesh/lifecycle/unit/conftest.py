from pathlib import Path

import pytest

from tiny_data import Place, opinion


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.write([opinion(number) for number in range(60)])
    return place
