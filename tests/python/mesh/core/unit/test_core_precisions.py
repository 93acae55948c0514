from collections.abc import Sequence
from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from mesh.core.devices import Placement
from mesh.core.errors import MeshError
from mesh.core.precisions import (
    ChosenPrecision,
    Precision,
    Precisions,
    choose_precision,
    parse_precisions,
)

ALL: tuple[Precision, ...] = get_args(Precision)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("float32", "float32"),
        ("float32,bfloat16", "float32,bfloat16"),
        ("bfloat16, float32", "float32,bfloat16"),
        ("float16,float32,float32,bfloat16", "float32,bfloat16,float16"),
        ("int8,float32", "float32,int8"),
    ],
)
def test_names_are_put_in_order(text: str, expected: str) -> None:
    assert parse_precisions(text) == expected
    assert TypeAdapter(Precisions).validate_python(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bf16", "'bf16' is no precision; there are float32, bfloat16, float16, int8"),
        ("", "'' is no precision"),
        ("float32,", "'' is no precision"),
        ("int4,float32", "'int4' is no precision"),
        ("bfloat16", "float32 is always one of them, such as float32,bfloat16"),
    ],
)
def test_other_names_and_names_without_float32_are_refused(text: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        TypeAdapter(Precisions).validate_python(text)


@pytest.mark.parametrize(
    ("wanted", "checked", "here", "chosen"),
    [
        ("auto", ("float32",), ("bfloat16", "float32"), "float32"),
        ("auto", ("float32", "bfloat16"), ("bfloat16", "float16", "float32"), "bfloat16"),
        ("auto", ("float32", "bfloat16", "float16"), ("float16", "float32"), "float16"),
        ("auto", ("float32", "bfloat16"), ("float32",), "float32"),
        ("float32", ("float32", "bfloat16"), ("bfloat16", "float32"), "float32"),
        ("auto", ("float32", "int8"), ("int8", "float32"), "int8"),
        ("auto", ("float32",), ("int8", "float32"), "float32"),
        ("bfloat16", ("float32", "bfloat16"), ("bfloat16", "float32"), "bfloat16"),
    ],
)
def test_the_fastest_checked_precision_is_chosen_unless_one_is_named(
    wanted: ChosenPrecision,
    checked: Sequence[Precision],
    here: Sequence[Precision],
    chosen: Precision,
) -> None:
    assert choose_precision(wanted, checked, here) == chosen
    assert Placement(precision=wanted).choose_precision(checked, here) == chosen


@pytest.mark.parametrize("checked", [("float32",), ("float32", "bfloat16")])
@pytest.mark.parametrize("here", [("float32",), ("bfloat16", "float32"), ("int8", "float32")])
@pytest.mark.parametrize("wanted", ALL)
def test_a_named_precision_that_is_not_checked_or_not_here_is_refused_with_both(
    wanted: Precision, checked: Sequence[Precision], here: Sequence[Precision]
) -> None:
    if wanted in checked and wanted in here:
        return
    with pytest.raises(MeshError) as refused:
        choose_precision(wanted, checked, here)
    sentence = str(refused.value)
    assert f"SERVE_PRECISION={wanted} can't be used" in sentence
    assert f"checked in {' and '.join(checked)}," in sentence
    assert f"computes in {' and '.join(here)} on this processor" in sentence
    # Compiling anew helps only where the processor has it.
    assert (f"compile the model for {wanted}" in sentence) == (wanted in here)


def test_a_precision_for_a_model_without_a_network_is_refused() -> None:
    with (
        pytest.raises(MeshError, match="SERVE_PRECISION=bfloat16 has no effect on this model"),
        Placement(precision="bfloat16").applied(),
    ):
        pass
    with Placement(precision="auto").applied():
        pass
