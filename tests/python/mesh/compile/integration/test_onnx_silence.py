"""ONNX Runtime, whose telemetry is on by default, keeps and sends nothing."""

import os
import subprocess
import sys
from pathlib import Path

from mesh import SILENT

PROGRAM = """
import sys
contacts = []
sys.addaudithook(lambda event, arguments: contacts.append(event) if event in {
    "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"} else None)
from mesh.compile.loaders.onnx import session_options
import onnx.helper, onnxruntime
value = lambda name: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1])
node = onnx.helper.make_node("Identity", ["in"], ["out"])
graph = onnx.helper.make_graph([node], "private graph", [value("in")], [value("out")])
opsets = [onnx.helper.make_opsetid("", 17)]
model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9)
session = onnxruntime.InferenceSession(
    model.SerializeToString(), session_options(1), providers=["CPUExecutionProvider"])
print(contacts)
"""


def test_session_leaves_nothing_in_the_home_folder_and_contacts_nobody(tmp_path: Path) -> None:
    # A device id and a database are the first that telemetry makes. CI switches it off, too.
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in {*SILENT, "CI", "ORT_RUNNING_UNIT_TESTS", "XDG_CACHE_HOME"}
    }
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**variables, "PYTHONPATH": paths, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    assert list(tmp_path.rglob("*")) == []
