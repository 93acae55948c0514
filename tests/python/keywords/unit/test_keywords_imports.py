import os
import subprocess
import sys


def test_server_imports_what_few_requests_need_when_they_need_it():
    later = {"keywords.border_words", "keywords.key_phrases", "onnxruntime", "openvino", "scipy"}
    program = f"import sys, keywords.serve.model; print(*({later!r} & set(sys.modules)))"
    process = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.split() == []
