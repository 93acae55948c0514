"""The names of devices, and what a server may run networks on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.devices import (
    AUTO,
    PROVIDERS,
    ChosenDevice,
    Device,
    Placement,
    current_placement,
    parse_device,
    providers_of,
)
from mesh.core.errors import MeshError
from mesh.core.settings import MeshSettings


class Settings(MeshSettings):
    where: Device = "cpu"
    chosen: ChosenDevice = AUTO


@pytest.mark.parametrize(
    ("text", "device", "providers"),
    [
        ("cpu", "cpu", ["CPUExecutionProvider"]),
        ("CPUExecutionProvider", "cpu", ["CPUExecutionProvider"]),
        ("CUDA", "cuda", ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        ("cuda,cpu", "cuda", ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        ("cuda, cuda", "cuda", ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        (
            "TensorrtExecutionProvider, CUDAExecutionProvider,CPUExecutionProvider",
            "tensorrt,cuda",
            ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"],
        ),
        ("coreml", "coreml", ["CoreMLExecutionProvider", "CPUExecutionProvider"]),
        (
            "OpenVINOExecutionProvider",
            "openvino",
            ["OpenVINOExecutionProvider", "CPUExecutionProvider"],
        ),
    ],
)
def test_a_device_has_one_name(text: str, device: str, providers: list[str]) -> None:
    assert parse_device(text) == device
    assert providers_of(device) == providers
    assert Settings(where=text, chosen=text) == Settings(where=device, chosen=device)


@given(st.lists(st.sampled_from(sorted(PROVIDERS)), min_size=1, unique=True))
def test_what_onnx_runtime_calls_a_device_is_that_device(names: list[str]) -> None:
    names = [*sorted(set(names) - {"cpu"}), *sorted(set(names) & {"cpu"})]
    device = parse_device(",".join(names))
    assert parse_device(",".join(providers_of(device))) == device
    assert providers_of(device)[-1] == "CPUExecutionProvider"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpu", "'gpu' is no device; there are cpu, cuda, tensorrt, coreml, openvino"),
        ("cuda,", "'' is no device"),
        ("auto", "'auto' is no device"),
        ("AzureExecutionProvider", "'AzureExecutionProvider' is no device"),
        ("cpu,cuda", "cpu computes everything"),
    ],
)
def test_other_names_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_device(text)


@pytest.mark.parametrize(
    ("checked", "device", "force", "used"),
    [
        ("cpu", AUTO, False, "cpu"),
        ("cuda", AUTO, False, "cuda"),
        ("cuda", "cuda", False, "cuda"),
        ("cpu", "cuda", True, "cuda"),
        ("tensorrt,cuda", "cpu", True, "cpu"),
    ],
)
def test_a_network_runs_where_parity_was_checked_unless_it_is_forced(
    checked: str, device: str, force: bool, used: str
) -> None:
    placement = Placement(device, force=force)
    placement.check(checked)
    assert placement.wanted(checked) == used


@pytest.mark.parametrize(
    ("checked", "device"), [("cpu", "cuda"), ("cuda", "cpu"), ("tensorrt,cuda", "cuda")]
)
def test_another_device_is_refused_with_the_names_of_both(checked: str, device: str) -> None:
    with pytest.raises(MeshError) as refused:
        Placement(device).check(checked)
    for one in (checked, device):
        assert f"{one} ({', '.join(providers_of(one))})" in str(refused.value)
    assert "--force" in str(refused.value)


def test_a_device_that_no_network_uses_is_refused() -> None:
    with (
        pytest.raises(MeshError, match="SERVE_DEVICE=cuda has no effect"),
        Placement("cuda").applied(),
    ):
        pass
    with Placement("cpu").applied():
        pass


def test_the_block_alone_is_placed() -> None:
    placement = Placement("cuda")
    with placement.applied():
        assert current_placement() is placement
        placement.runs_on = ("CUDAExecutionProvider",)
    assert current_placement().wanted("cpu") == "cpu"
