import os
import subprocess
import sys


def test_a_server_imports_no_framework_for_training() -> None:
    heavy = {
        "torch",
        "transformers",
        "mlflow",
        "fastapi",
        # What is off by default.
        "mesh.serve.prediction_log.log",
        "google.protobuf",
        "grpc",
        "numpy",
        "offapi",
        "pyarrow",
        "sqlalchemy",
    }
    program = f"import sys, mesh.serve.server; print(*({heavy!r} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert result.stdout.split() == []
