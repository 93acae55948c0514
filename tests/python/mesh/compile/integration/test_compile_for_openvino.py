"""OpenVINO, on the processor that is here and on those that its own words describe."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mesh.compile.artifact import CompiledModel
from mesh.compile.compiler import compile_model
from mesh.compile.parity import check_parity
from mesh.compile.source import spec_for
from mesh.compile.spec import CompileSpec, Task
from mesh.core.devices import Placement
from mesh.core.errors import MeshError
from mesh.core.manifest import Manifest
from mesh.core.precisions import Precision

loader: Any = pytest.importorskip("mesh.compile.loaders.openvino", exc_type=ImportError)

TEXTS = ["a few words", "", "one", "a text of more letters than the model takes at once, by far"]
# With these, batches are filled up, by rows and by tokens.
TEXTS += [f"{letter} b c" for letter in "abcdefghi"] + ["a b c d e f g h i j k l m n o p q"] * 2


@pytest.fixture(scope="module")
def compiled(
    tiny_model: Callable[[Task], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """The folders of an encoder and of the compiled one, for float32, bfloat16 and int8."""
    source = tiny_model("sentence-embedding")
    precisions = ("float32", "bfloat16", "int8")
    spec = spec_for(source, task="sentence-embedding", backend="openvino", precisions=precisions)
    directory = tmp_path_factory.mktemp("openvino") / "compiled"
    compile_model(source, spec, directory)
    return source, directory


class Processor:
    """OpenVINO on a processor with the given abilities; it compiles for the real one."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *capabilities: str,
        instructions: str = "avx512_vnni",
    ) -> None:
        self.options: dict[str, Any] = {}
        self.path = ""
        self._capabilities = list(capabilities)
        self._core = loader.openvino.Core()
        monkeypatch.setattr(loader.openvino, "Core", lambda: self)
        monkeypatch.setattr(loader, "_instructions", lambda: frozenset(instructions.split()))
        loader.precisions.cache_clear()

    def get_property(self, device: str, name: str) -> list[str]:
        assert (device, name) == ("CPU", "OPTIMIZATION_CAPABILITIES")
        return self._capabilities

    def compile_model(self, path: str, device: str, options: dict[str, Any]) -> Any:
        self.options, self.path = options, path
        return self._core.compile_model(path, device, options)


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> Any:
    yield partial(Processor, monkeypatch)
    loader.precisions.cache_clear()


@pytest.mark.parametrize(
    ("capabilities", "instructions", "expected"),
    [
        (("FP32", "INT8", "BIN"), "avx512_vnni", ("int8", "float32")),
        (("FP32", "INT8", "BIN"), "avx_vnni", ("int8", "float32")),
        (("FP32", "INT8", "BIN"), "", ("float32", "int8")),
        (("BF16", "WINOGRAD", "FP32"), "avx512_vnni", ("int8", "bfloat16", "float32")),
        (("BF16", "FP32"), "avx512_vnni amx_bf16", ("bfloat16", "int8", "float32")),
        (("FP32", "FP16"), "", ("float16", "float32", "int8")),
        (("FP16", "BF16"), "avx_vnni amx_bf16", ("bfloat16", "float16", "int8", "float32")),
    ],
)
def test_precisions_are_those_of_the_processor_the_fastest_first(
    processor: Callable[..., Processor],
    capabilities: tuple[str, ...],
    instructions: str,
    expected: tuple[Precision, ...],
) -> None:
    processor(*capabilities, instructions=instructions)
    assert loader.precisions() == expected


def test_parity_covers_each_precision_that_the_version_may_compute_in(
    compiled: tuple[Path, Path], processor: Callable[..., Processor]
) -> None:
    processor("BF16", "FP32")
    report = check_parity(*compiled, TEXTS)
    assert report.passed
    assert report.runs_on == ("OpenVINO CPU",)
    assert list(report.by_precision) == ["float32", "bfloat16", "int8"]
    exact, *lower = report.by_precision.values()
    for rounded in lower:
        assert len(exact.cases) == len(rounded.cases) == 2 * (len(TEXTS) + 1)
        assert exact.tolerances.max_abs_difference < rounded.tolerances.max_abs_difference


@pytest.mark.parametrize(
    ("capabilities", "wanted", "used", "beside_products"),
    [
        (("BF16", "FP32"), "auto", "int8", "bf16"),
        (("FP16", "FP32"), "int8", "int8", "f16"),
        (("FP32",), "auto", "int8", "f32"),
        (("BF16", "FP32"), "bfloat16", "bfloat16", "bf16"),
        (("BF16", "FP32"), "float32", "float32", "f32"),
    ],
)
def test_what_is_checked_and_here_is_used_and_named(
    compiled: tuple[Path, Path],
    processor: Callable[..., Processor],
    capabilities: tuple[str, ...],
    wanted: Any,
    used: str,
    beside_products: str,
) -> None:
    core = processor(*capabilities)
    placement = Placement(precision=wanted, callers=3)
    with placement.applied():
        model = CompiledModel.load(compiled[1], threads=2)
    assert (placement.precision, model.precision) == (used, used)
    assert core.options["INFERENCE_PRECISION_HINT"] == beside_products
    assert Path(core.path).name == ("model.int8.onnx" if used == "int8" else "model.onnx")
    assert (core.options["NUM_STREAMS"], core.options["INFERENCE_NUM_THREADS"]) == ("3", 6)
    assert core.options["ENABLE_CPU_PINNING"] is False
    # The processor's own time, though other threads compute.
    assert model.seconds_per_token > 0


@pytest.mark.parametrize(
    ("capabilities", "wanted", "said"),
    [
        (
            ("FP16", "FP32"),
            "float16",
            "checked in float32 and bfloat16 and int8, and its backend computes in",
        ),
        (("FP32",), "bfloat16", "computes in int8 and float32 on this processor"),
    ],
)
def test_a_precision_that_is_not_checked_or_not_here_is_refused(
    compiled: tuple[Path, Path],
    processor: Callable[..., Processor],
    capabilities: tuple[str, ...],
    wanted: Any,
    said: str,
) -> None:
    processor(*capabilities)
    with (
        pytest.raises(MeshError, match=f"SERVE_PRECISION={wanted} can't be used.*{said}"),
        Placement(precision=wanted, force=True).applied(),
    ):
        CompiledModel.load(compiled[1])


def test_callers_share_a_model_and_wait_for_no_other(
    compiled: tuple[Path, Path], check_callers: Callable[..., None]
) -> None:
    with Placement(precision="float32", callers=2).applied():
        model = CompiledModel.load(compiled[1])
    check_callers(model, TEXTS)


def test_file_that_is_no_model_is_refused(compiled: tuple[Path, Path], tmp_path: Path) -> None:
    CompileSpec.read(compiled[1]).write(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((compiled[1] / "tokenizer.json").read_bytes())
    (tmp_path / "model.onnx").write_bytes(b"nonsense" * 100)
    Manifest.of(tmp_path).write(tmp_path)
    with pytest.raises(MeshError, match=r"OpenVINO \d+\.\d+\.\d+ can't load .*model\.onnx"):
        CompiledModel.load(tmp_path)


def test_where_openvino_has_no_package_another_backend_is_named(
    compiled: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "mesh.compile.loaders.openvino")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MeshError) as refused:
        CompiledModel.load(compiled[1])
    assert "needs the package 'openvino' that is not installed here" in str(refused.value)
    assert "compile for 'onnx' elsewhere, as on Linux with ARM" in str(refused.value)
