import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mesh import SILENT
from network_calls import contacted, missing, recorder


@pytest.mark.parametrize("given", [{}, dict.fromkeys(SILENT, "0"), dict.fromkeys(SILENT, "")])
def test_every_import_of_the_mesh_switches_reports_off(given: dict[str, str]) -> None:
    variables = {name: value for name, value in os.environ.items() if name not in SILENT}
    paths = os.pathsep.join(path for path in sys.path if path)
    program = "import json, os, mesh; print(json.dumps(dict(os.environ)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**variables, **given, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert SILENT.items() <= json.loads(done.stdout).items()


def test_tests_are_silent() -> None:
    assert SILENT.items() <= os.environ.items()


@pytest.mark.skipif(missing() is not None, reason=str(missing()))
@pytest.mark.parametrize(
    ("family", "address", "beyond"),
    [
        ("AF_INET", "192.0.2.1", True),
        ("AF_INET6", "2001:db8::1", True),
        ("AF_INET", "127.0.0.1", False),
        ("AF_INET6", "::1", False),
    ],
)
def test_recorder_of_the_tests_sees_every_contact_with_another_machine(
    tmp_path: Path, family: str, address: str, beyond: bool
) -> None:
    # By UDP, which sends nothing; from a child, as servers are.
    contact = f"import socket; s = socket.socket(socket.{family}, socket.SOCK_DGRAM); s.connect_ex(({address!r}, 53))"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {contact!r}])"
    log = tmp_path / "calls"
    subprocess.run([*recorder(log), sys.executable, "-c", program], check=True)
    assert [address in line for line in contacted(log)] == [True] * beyond
