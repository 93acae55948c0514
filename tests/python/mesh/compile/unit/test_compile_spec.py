from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mesh.compile.spec import CompileSpec
from mesh.core.errors import MeshError


def make_spec(**changes: Any) -> CompileSpec:
    fields: dict[str, Any] = {
        "task": "sentence-embedding",
        "backend": "onnx",
        "max_length": 16,
        "length_buckets": (8, 16),
        "pooling": "mean",
        "dimension": 4,
    }
    return CompileSpec.model_validate({**fields, **changes})


def test_spec_survives_writing_and_reading(tmp_path: Path) -> None:
    spec = make_spec(overflow="window", stride=4, normalize=True)
    spec.write(tmp_path)
    assert CompileSpec.read(tmp_path) == spec


@pytest.mark.parametrize(
    "changes",
    [
        {"length_buckets": (16, 8)},
        {"length_buckets": (8, 8, 16)},
        {"length_buckets": (8,)},
        {"length_buckets": ()},
        {"length_buckets": (0, 16)},
        {"stride": 2},
        {"overflow": "window", "stride": 9},
        {"pooling": None},
        {"pooling": "last"},
        {"task": "text-classification", "dimension": 2, "labels": ("a", "b")},
        {"task": "text-classification", "pooling": None, "labels": ("a",)},
        {"dtype": "float16"},
        {"backend": "tpu"},
        {"unknown": 1},
        {"schema_version": 2},
        {"tolerances": {"min_cosine": 2}},
    ],
)
def test_wrong_specs_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_spec(**changes)


def test_malformed_file_is_named_with_the_field(tmp_path: Path) -> None:
    make_spec().write(tmp_path)
    path = tmp_path / "spec.json"
    path.write_text(path.read_text().replace('"onnx"', '"abacus"'))
    with pytest.raises(MeshError, match=r"spec\.json is malformed: backend: "):
        CompileSpec.read(tmp_path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match=r"spec\.json does not exist"):
        CompileSpec.read(tmp_path)
