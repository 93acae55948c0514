"""Trainings multiply bfloat16 where the device does, and say so where it can't."""

import pytest
import torch

from mesh.core.errors import MeshError
from mesh.lifecycle.training.precision import find_precision


@pytest.fixture(params=[{}, {"avx512_bf16": True}, {"avx512_bf16": False, "amx_bf16": True}])
def processor(request, monkeypatch):
    """What a processor can do; no GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: request.param)
    return request.param


def test_auto_takes_what_the_processor_multiplies(processor):
    has_it = any(processor.values())
    assert find_precision("auto", "auto") == ("bfloat16" if has_it else "float32")
    assert find_precision("auto", "cpu") == ("bfloat16" if has_it else "float32")


def test_float32_is_always_there(processor):
    assert find_precision("float32", "auto") == "float32"


def test_bfloat16_is_never_emulated(processor):
    if any(processor.values()):
        assert find_precision("bfloat16", "cpu") == "bfloat16"
    else:
        with pytest.raises(MeshError, match=r"^TRAIN_PRECISION=bfloat16 needs a GPU or"):
            find_precision("bfloat16", "cpu")


@pytest.mark.parametrize("has_it", [True, False])
def test_a_gpu_is_asked_before_the_processor(monkeypatch, has_it):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_it)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": not has_it})
    assert find_precision("auto", "auto") == ("bfloat16" if has_it else "float32")


def test_apples_gpus_compute_in_float32(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert find_precision("auto", "auto") == "float32"
