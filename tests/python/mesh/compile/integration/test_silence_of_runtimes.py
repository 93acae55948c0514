"""The runtimes, which report their use by default, keep and send nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mesh import SILENT

CONTACTS = """
import sys
contacts = []
sys.addaudithook(lambda event, arguments: contacts.append(event) if event in {
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
    "subprocess.Popen", "os.fork"} else None)
"""
GRAPH = """
import onnx.helper
value = lambda name: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1])
node = onnx.helper.make_node("Identity", ["in"], ["out"])
graph = onnx.helper.make_graph([node], "private graph", [value("in")], [value("out")])
opsets = [onnx.helper.make_opsetid("", 17)]
model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9)
"""
ONNX = """
from mesh.compile.loaders.onnx import session_options
import onnxruntime
session = onnxruntime.InferenceSession(
    model.SerializeToString(), session_options(1), providers=["CPUExecutionProvider"])
"""
OPENVINO = """
import io
import mesh.compile.loaders.openvino as loader
loader.precisions()
core = loader.openvino.Core()
core.compile_model(core.read_model(io.BytesIO(model.SerializeToString())), "CPU")
assert "openvino.tools.ovc.telemetry_utils" not in {n for n, m in sys.modules.items() if m}
"""
# What anyone imports of it, such as a package that finds it installed.
CONVERTER = """
import mesh
from openvino import convert_model
import openvino.tools.ovc
"""


@pytest.mark.parametrize("program", [ONNX, OPENVINO, CONVERTER])
def test_runtime_leaves_nothing_in_the_home_folder_and_contacts_nobody(
    tmp_path: Path, program: str
) -> None:
    if program != ONNX:
        pytest.importorskip("openvino", reason="OpenVINO has no package for this machine")
    # A device id and a database are the first that telemetry makes. CI switches it off, too.
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in {*SILENT, "CI", "ORT_RUNNING_UNIT_TESTS", "XDG_CACHE_HOME"}
    }
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", f"{CONTACTS}{GRAPH}{program}\nprint(contacts)"],
        env={**variables, "PYTHONPATH": paths, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    assert list(tmp_path.rglob("*")) == []
