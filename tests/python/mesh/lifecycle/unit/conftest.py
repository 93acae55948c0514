from pathlib import Path

import pytest

from folder_names import ODD_NAME
from tiny_data import Place, opinion


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / ODD_NAME
    folder.mkdir()
    place = Place(folder)
    place.write([opinion(number) for number in range(60)])
    return place
