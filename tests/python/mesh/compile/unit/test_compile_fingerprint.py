import pytest

from mesh.compile import fingerprint
from mesh.compile.fingerprint import compile_inputs
from mesh.core.inputs import differences, packages_of

SETTINGS = {"max_length": 8, "task": "sentence-embedding"}


def test_equal_inputs_are_equal() -> None:
    assert compile_inputs("a", "onnx", SETTINGS) == compile_inputs("a", "onnx", dict(SETTINGS))


def test_every_input_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = compile_inputs("a", "onnx", SETTINGS)
    other = {**SETTINGS, "max_length": 9}
    assert differences(inputs, compile_inputs("b", "onnx", SETTINGS)) == [
        "trained version (a -> b)"
    ]
    assert differences(inputs, compile_inputs("a", "onnx", other)) == [
        "setting max_length (8 -> 9)"
    ]
    added = differences(inputs, compile_inputs("a", "onnx", SETTINGS, "mesh.nlp.language"))
    assert "file mesh/nlp/language.py (new)" in added
    monkeypatch.setattr(fingerprint, "NOT_COMPILING", ("mesh.compile.spec",))
    assert "file mesh/compile/spec.py (gone)" in differences(
        inputs, compile_inputs("a", "onnx", SETTINGS)
    )


def test_what_a_base_model_is_made_of() -> None:
    assert compile_inputs("a", "onnx", {}, source="base model")["base model"] == "a"


def test_files_and_packages_are_those_of_the_backend() -> None:
    onnx, generic = (compile_inputs("a", backend, {}) for backend in ("onnx", "generic"))
    assert {"onnx", "onnxruntime", "onnxscript", "torch"} <= set(packages_of(onnx))
    assert "onnxruntime" not in packages_of(generic)
    assert "file mesh/compile/compilers/onnx.py" in onnx
    assert "file mesh/compile/compilers/onnx.py" not in generic


def test_loader_counts_where_extra_files_are_made_by_running_the_network() -> None:
    with_network = compile_inputs("a", "generic", {}, "mesh.compile.artifact")
    assert "file mesh/compile/loaders/generic.py" in with_network
    assert "file mesh/compile/loaders/generic.py" not in compile_inputs("a", "generic", {})
