import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.compile.neuron_package import NEURON_PACKAGES, import_neuron
from mesh.core.errors import MeshError


@pytest.fixture(autouse=True)
def _own_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in NEURON_PACKAGES:
        sys.modules.pop(name, None)


def write_package(root: Path, name: str, source: str) -> None:
    (root / name).mkdir()
    (root / name / "__init__.py").write_text(source)


@pytest.mark.parametrize("name", NEURON_PACKAGES)
def test_installed_package_is_found(tmp_path: Path, name: str) -> None:
    write_package(tmp_path, name, "def trace(func, example_inputs, **options): ...")
    assert import_neuron().__name__ == name


def test_absence_is_a_clear_error() -> None:
    with pytest.raises(
        MeshError,
        match="needs torch_neuronx or torch_neuron, which is not installed; install it from",
    ):
        import_neuron()
    with pytest.raises(MeshError, match="needs torch_neuron, which"):
        import_neuron(("torch_neuron",))


@pytest.mark.parametrize("source", ["raise ImportError('WRONG PACKAGE.')", ""])
def test_placeholder_is_recognised(tmp_path: Path, source: str) -> None:
    write_package(tmp_path, "torch_neuron", source)
    metadata = tmp_path / "torch_neuron-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: torch-neuron\nVersion: 1.0\n")
    with pytest.raises(
        MeshError, match=r"torch_neuron \(1\.0\) is not the AWS Neuron SDK.*placeholder"
    ):
        import_neuron()


def test_package_that_lacks_one_of_its_own_needs_is_reported(tmp_path: Path) -> None:
    write_package(tmp_path, "torch_neuronx", "import surely_not_installed_here")
    with pytest.raises(
        MeshError,
        match="torch_neuronx can't be imported: surely_not_installed_here is not installed",
    ):
        import_neuron()
