import pytest

from mesh.compile import fingerprint
from mesh.compile.fingerprint import compile_fingerprint, compiler_versions
from mesh.compile.spec import CompileSpec

SPEC = CompileSpec(
    task="sentence-embedding",
    backend="onnx",
    max_length=8,
    length_buckets=(8,),
    pooling="mean",
    dimension=3,
)


def test_equal_inputs_have_equal_fingerprints() -> None:
    assert compile_fingerprint("a", SPEC, {"x": 1}) == compile_fingerprint(
        "a", SPEC.model_copy(), {"x": 1}
    )


def test_every_input_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    fingerprints = [
        compile_fingerprint("a", SPEC),
        compile_fingerprint("b", SPEC),
        compile_fingerprint("a", SPEC.model_copy(update={"max_batch_tokens": 9})),
        compile_fingerprint("a", SPEC, "extra"),
    ]
    monkeypatch.setattr(fingerprint, "compiler_versions", lambda _: {"torch": "0"})
    fingerprints.append(compile_fingerprint("a", SPEC))
    monkeypatch.setattr(fingerprint, "CODE", fingerprint.CODE[:-1])
    fingerprints.append(compile_fingerprint("a", SPEC))
    assert len(set(fingerprints)) == len(fingerprints)


def test_versions_are_those_of_the_backends_packages() -> None:
    versions = compiler_versions(SPEC)
    assert "onnxruntime" in versions
    assert set(versions) <= set(fingerprint.COMPILER_PACKAGES["onnx"])
    assert "onnxruntime" not in compiler_versions(SPEC.model_copy(update={"backend": "generic"}))
