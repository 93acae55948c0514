"""What the benchmark of starts lets a server load."""

from pathlib import Path

from benchmarks.keywords_footprint import version_of
from mesh.core.manifest import Manifest
from mesh.serve.version_files import VersionFiles


def test_a_server_takes_the_version_for_whole(tmp_path: Path) -> None:
    compiled = tmp_path / "compiled"
    compiled.mkdir()
    (compiled / "model.onnx").write_bytes(b"network")
    Manifest.of(compiled).write(compiled)
    assert VersionFiles(version_of(compiled)).damage() == []
