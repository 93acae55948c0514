"""`mesh up summarization`, as a user runs it."""

import json
import os
import signal
import socket
import subprocess
import sys

import httpx


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_encoder_is_made_and_the_server_answers_what_was_printed(tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "mesh.cli.mesh", "up", "summarization", "--port", str(port)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            printed = []
            assert process.stdout is not None
            for line in process.stdout:
                printed.append(line)
                if "Ctrl-C stops the server" in line:
                    break
            [answer] = [line for line in printed if line.startswith('{"outputs"')]
            [curl] = [line for line in printed if line.startswith("curl ")]
            again = subprocess.run(["bash", "-c", curl], capture_output=True, check=True)
            assert json.loads(again.stdout) == json.loads(answer)
            [output] = json.loads(answer)["outputs"]
            assert output["summary"].startswith("Marie Curie")
            metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
            assert 'route="/v1/model/{name}/predict",status="200"} 2.0' in metrics
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert {path.name.partition("-")[0] for path in (tmp_path / "models").iterdir()} == {
        "ENCODER",
        "SUMMARIZATION",
    }
