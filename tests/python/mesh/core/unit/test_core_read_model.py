import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from mesh.core.errors import MeshError
from mesh.core.files import read_model


class Inner(BaseModel):
    count: int


class Record(BaseModel):
    inner: tuple[Inner, ...]


def test_a_valid_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text('{"inner": [{"count": 1}]}')
    record = read_model(Record, tmp_path / "record.json", "make it again")
    assert record == Record(inner=(Inner(count=1),))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"inner": [{"count": "x"}]}', r"is malformed: inner\.0\.count: .* integer"),
        ("{}", "is malformed: inner: Field required"),
        ("[]", "is malformed: Input should be"),
        ("{", "is not valid JSON: "),
        (None, "does not exist"),
    ],
)
def test_errors_name_file_and_field_and_end_with_the_advice(
    tmp_path: Path, content: str | None, problem: str
) -> None:
    path = tmp_path / "record.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(MeshError, match=rf"{re.escape(str(path))} {problem}.*; make it again\.$"):
        read_model(Record, path, "make it again")
