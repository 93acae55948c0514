"""The comparison of a compiled model with the uncompiled one, on real texts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from mesh.compile.artifact import CompiledModel
from mesh.compile.spec import Backend, CompileSpec, Tolerances
from mesh.compile.text_model import Floats, TextModel
from mesh.core.devices import AUTO, CPU, Placement
from mesh.core.errors import MeshError
from mesh.core.precisions import FLOAT32, Precision


class ParityCase(BaseModel):
    """One text in one call.

    Args:
        text: its number among the texts; the over-length text made of all of them comes last.
        call: whether the compiled model was given the text by itself or together with all others.
        characters: its length.
        overflow_tokens: the number of its tokens that were dropped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: int
    call: Literal["alone", "together"]
    characters: int
    overflow_tokens: int
    max_abs_difference: float
    cosine: float
    passed: bool


class ParityReport(BaseModel):
    """Passed if every case is within the tolerances.

    Args:
        runs_on: what the compiled model ran on, as its backend calls it: the execution providers
            of ONNX Runtime in their order; older reports lack it.
        precision: what it computed in.
        lower: the reports of the other precisions that it may compute in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    passed: bool
    backend: Backend
    runs_on: tuple[str, ...] = ()
    precision: Precision = FLOAT32
    lower: tuple["ParityReport", ...] = ()
    tolerances: Tolerances
    max_abs_difference: float
    min_cosine: float
    cases: tuple[ParityCase, ...]

    @property
    def by_precision(self) -> Mapping[Precision, "ParityReport"]:
        """The report of each precision."""
        return {report.precision: report for report in (self, *self.lower)}


def check_parity(source: Path, directory: Path, texts: Sequence[str]) -> ParityReport:
    """Compare the folder of a compiled model with the folder it was compiled from, in each precision.

    The uncompiled model is given one text at a time, so errors of padding and batching show.

    Args:
        texts: real ones, such as the stored test inputs; one longer than the model takes is added.

    Both run on the device that the model was compiled for; the uncompiled one on the CPU where
    torch doesn't know that device.

    Raises:
        MeshError: there is no text to compare, a model can't be loaded, or the processor lacks a
            precision.
    """
    from mesh.compile.torch_model import load_reference

    spec = CompileSpec.read(directory)
    device = AUTO if {"cuda", "tensorrt"} & set(spec.device.split(",")) else CPU
    reference = load_reference(source, spec, device)
    reports = []
    for precision in spec.precisions:
        with Placement(precision=precision).applied():
            compiled = CompiledModel.load(directory)
        reports.append(compare_models(reference, compiled, texts))
    first, *lower = reports
    passed = all(report.passed for report in reports)
    return first.model_copy(update={"passed": passed, "lower": tuple(lower)})


def compare_models(reference: TextModel, compiled: TextModel, texts: Sequence[str]) -> ParityReport:
    """Compare two loaded models; see `check_parity`."""
    if not any(text.strip() for text in texts):
        raise MeshError(
            "Parity can't be checked without texts: give at least one that is not empty."
        )
    everything = [*texts, overlong(texts, compiled.spec.max_length)]
    expected = [outputs(reference, [text])[0] for text in everything]
    alone = [outputs(compiled, [text])[0] for text in everything]
    together = outputs(compiled, everything)
    dropped = compiled.overflow_tokens(everything)
    tolerances = compiled.spec.tolerances_in(compiled.precision)
    cases = [
        _case(
            number, call, everything[number], dropped[number], expected[number], actual, tolerances
        )
        for call, results in (("alone", alone), ("together", together))
        for number, actual in enumerate(results)
    ]
    return ParityReport(
        passed=all(case.passed for case in cases),
        backend=compiled.spec.backend,
        runs_on=compiled.runs_on,
        precision=compiled.precision,
        tolerances=tolerances,
        max_abs_difference=max(case.max_abs_difference for case in cases),
        min_cosine=min(case.cosine for case in cases),
        cases=tuple(cases),
    )


def overlong(texts: Sequence[str], max_length: int) -> str:
    """Repeat the texts until they have twice as many words as the model takes tokens."""
    joined = " ".join(text for text in texts if text.strip())
    return " ".join([joined] * (2 * max_length // len(joined.split()) + 1))


def outputs(model: TextModel, texts: Sequence[str]) -> list[Floats]:
    """The output for each text: (dimension,), or (tokens, dimension) for token-classification."""
    if model.spec.task == "token-classification":
        return [result.logits for result in model.token_logits(texts)]
    compute = model.embed if model.spec.task == "sentence-embedding" else model.logits
    return list(compute(texts))


def _case(
    number: int,
    call: str,
    text: str,
    dropped: int,
    expected: Floats,
    actual: Floats,
    tolerances: Tolerances,
) -> ParityCase:
    if expected.shape != actual.shape:
        raise MeshError(
            f"The compiled model's output for text {number} has the shape {actual.shape}, not {expected.shape}."
        )
    if not np.isfinite(actual).all() or not np.isfinite(expected).all():
        raise MeshError(
            f"The output for text {number} is not finite; the model can't be used on this backend."
        )
    difference = float(np.abs(expected - actual).max(initial=0.0))
    cosine = _cosine(expected.ravel().astype(np.float64), actual.ravel().astype(np.float64))
    return ParityCase(
        text=number,
        call="alone" if call == "alone" else "together",
        characters=len(text),
        overflow_tokens=dropped,
        max_abs_difference=difference,
        cosine=cosine,
        passed=difference <= tolerances.max_abs_difference and cosine >= tolerances.min_cosine,
    )


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    if norms == 0.0:
        return 1.0 if np.array_equal(one, other) else 0.0
    return min(1.0, float(one @ other) / norms)
