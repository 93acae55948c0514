"""The computation and the compilation of a compiled model; stored with it as `spec.json`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mesh.core.devices import CPU, Device
from mesh.core.files import read_model, write_json_atomic
from mesh.core.precisions import FLOAT32, INT8, Precision

SPEC_FILE = "spec.json"

Task = Literal["sentence-embedding", "text-classification", "token-classification"]
Backend = Literal["onnx", "openvino", "generic", "neuron"]
Pooling = Literal["mean", "cls", "max"]


class Tolerances(BaseModel):
    """The largest allowed difference between a compiled and the uncompiled model.

    Args:
        max_abs_difference: of any number of the output.
        min_cosine: of the angle between the outputs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_abs_difference: float = Field(1e-4, gt=0)
    min_cosine: float = Field(0.9999, gt=0, le=1)


LOWER_TOLERANCES: Mapping[Precision, Tolerances] = {
    # It has 8 bits of float32's 24; of a network's logits, the largest are off most.
    "bfloat16": Tolerances(max_abs_difference=0.5, min_cosine=0.999),
    "float16": Tolerances(max_abs_difference=0.1, min_cosine=0.9999),
    # Each product of matrices rounds its activations to 8 bits and its weights to 7 or 8.
    "int8": Tolerances(max_abs_difference=1, min_cosine=0.97),
}
"""What is allowed in other precisions than float32."""

PRECISIONS: Mapping[Backend, tuple[Precision, ...]] = {
    "onnx": (FLOAT32, INT8),
    "openvino": (FLOAT32, "bfloat16", "float16", INT8),
    "generic": (FLOAT32,),
    "neuron": (FLOAT32,),
}
"""What a version of each backend may compute in, if the processor can."""


class CompileSpec(BaseModel):
    """The complete description of a compilation; `mesh.compile.source.spec_for` makes it.

    Args:
        device: what it is compiled for, and its parity checked on.
        precisions: those that it may compute in, and its parity is checked in.
        max_length: tokens of one pass through the network, special tokens included.
        length_buckets: the lengths, ascending, for which a backend with fixed shapes compiles a
            program; the last is `max_length`. Backends with dynamic shapes pad to the longest text
            of a batch.
        max_batch_tokens: tokens of one pass, padding included; a single text may exceed it. A
            processor takes fewer at once where shapes are dynamic.
        overflow: `truncate` uses only the first `max_length` tokens of a text, `window` cuts it
            into windows and joins their results.
        stride: tokens that neighbouring windows share.
        pooling: the reduction of token vectors to one vector (sentence-embedding only).
        normalize: whether embeddings have length 1.
        labels: names of the classes, in the order of the logits (classification only).
        dimension: numbers of an embedding, or of the logits of a text or token.
        pad_token_id: the token that fills up a batch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    task: Task
    backend: Backend
    device: Device = CPU
    dtype: Literal["float32"] = "float32"
    precisions: tuple[Precision, ...] = (FLOAT32,)
    max_length: int = Field(ge=4)
    length_buckets: tuple[int, ...]
    max_batch_tokens: int = Field(1024, ge=1)
    overflow: Literal["truncate", "window"] = "truncate"
    stride: int = Field(0, ge=0)
    tolerances: Tolerances = Tolerances()
    pooling: Pooling | None = None
    normalize: bool = False
    labels: tuple[str, ...] = ()
    dimension: int = Field(ge=1)
    pad_token_id: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if list(self.length_buckets) != sorted(set(self.length_buckets)) or self.length_buckets[
            -1:
        ] != (self.max_length,):
            raise ValueError("length_buckets must ascend and end with max_length")
        possible = PRECISIONS[self.backend]
        if lacking := [name for name in self.precisions if name not in possible]:
            raise ValueError(
                f"the backend {self.backend!r} computes in {' and '.join(possible)}, not in "
                f"{lacking[0]}; choose another backend, or leave it out"
            )
        if INT8 in self.precisions and self.device != CPU:
            raise ValueError(f"{INT8} is computed by the device {CPU} alone, not by {self.device}")
        if self.length_buckets[0] < 1:
            raise ValueError("length_buckets must be positive")
        if self.stride and self.overflow != "window":
            raise ValueError("stride needs overflow=window")
        if self.stride > self.max_length // 2:
            raise ValueError("stride must be at most half of max_length")
        if (self.pooling is None) == (self.task == "sentence-embedding"):
            raise ValueError("pooling belongs to the task sentence-embedding, which needs it")
        if self.task != "sentence-embedding" and len(self.labels) != self.dimension:
            raise ValueError("a classifier needs one label for each of its dimensions")
        return self

    def tolerances_in(self, precision: Precision) -> Tolerances:
        """What is allowed in a precision."""
        return LOWER_TOLERANCES.get(precision, self.tolerances)

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the spec of a compiled model.

        Raises:
            MeshError: it is missing, malformed, or of a newer schema version.
        """
        return read_model(cls, directory / SPEC_FILE, "compile the model again")

    def write(self, directory: Path) -> None:
        """Store the spec in a directory as `spec.json`."""
        write_json_atomic(directory / SPEC_FILE, self.model_dump(mode="json"))
