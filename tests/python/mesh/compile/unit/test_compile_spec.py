from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from mesh.compile.spec import PRECISIONS, CompileSpec
from mesh.core.errors import MeshError
from mesh.core.precisions import Precision


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
        {"precisions": ("float32", "bfloat16")},
        {"precisions": ("float32", "bfloat16"), "backend": "generic"},
        {"precisions": ("float32", "int8"), "backend": "generic"},
        {"precisions": ("float32", "int8"), "device": "cuda"},
        {"precisions": ("int4",), "backend": "openvino"},
        {"backend": "tpu"},
        {"unknown": 1},
        {"schema_version": 2},
        {"tolerances": {"min_cosine": 2}},
    ],
)
def test_wrong_specs_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_spec(**changes)


def test_each_precision_has_a_rule() -> None:
    spec = make_spec()
    assert {*get_args(Precision)} == {name for own in PRECISIONS.values() for name in own}
    assert spec.tolerances_in("float32") == spec.tolerances
    wider = spec.tolerances_in("bfloat16"), spec.tolerances_in("float16")
    assert all(one.min_cosine >= 0.999 for one in wider)
    assert wider[0].max_abs_difference > wider[1].max_abs_difference > 1e-4
    assert spec.tolerances_in("int8").min_cosine < min(one.min_cosine for one in wider)


def test_what_a_backend_lacks_is_named_with_what_it_has() -> None:
    with pytest.raises(ValidationError, match="'onnx' computes in float32 and int8, not in bfloat"):
        make_spec(precisions=("float32", "bfloat16"))
    with pytest.raises(
        ValidationError, match="int8 is computed by the device cpu alone, not by cu"
    ):
        make_spec(precisions=("float32", "int8"), device="cuda")
    assert make_spec(precisions=("float32", "int8")).precisions == ("float32", "int8")


def test_malformed_file_is_named_with_the_field(tmp_path: Path) -> None:
    make_spec().write(tmp_path)
    path = tmp_path / "spec.json"
    path.write_text(path.read_text().replace('"onnx"', '"abacus"'))
    with pytest.raises(MeshError, match=r"spec\.json is malformed: backend: "):
        CompileSpec.read(tmp_path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match=r"spec\.json does not exist"):
        CompileSpec.read(tmp_path)
