"""What a process and its children contact beyond this machine, recorded by strace.

It sees native code as well as Python: connections by TCP and UDP, look-ups among them, and datagrams
with an address. It doesn't see a look-up that a daemon of the system does (nscd, systemd-resolved
by varlink), but whatever follows it.
"""

import functools
import ipaddress
import re
import shutil
import subprocess
from pathlib import Path

CALLS = "connect,sendto,sendmmsg"
_ADDRESS = re.compile(r'inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"')


@functools.cache
def missing() -> str | None:
    """Why nothing can be recorded here; None if it can."""
    if shutil.which("strace") is None:
        return "strace isn't installed"
    tried = subprocess.run([*_command(Path("/dev/null")), "true"], capture_output=True, text=True)
    return f"strace can't trace here: {tried.stderr.strip()}" if tried.returncode else None


def recorder(log: Path) -> list[str]:
    """The beginning of a command that records its calls; empty where that can't be done.

    The command keeps its process, so signals reach it and its exit code is its own.
    """
    return [] if missing() else _command(log)


def _command(log: Path) -> list[str]:
    options = ("-D", "-f", "--seccomp-bpf", "-s0", f"--trace={CALLS}")
    return ["strace", *options, "-o", str(log)]


def contacted(log: Path) -> list[str]:
    """The recorded calls with an address of another machine."""
    return [
        line
        for line in log.read_text().splitlines()
        if any(map(_is_beyond, _ADDRESS.findall(line)))
    ]


def _is_beyond(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return not (mapped.is_loopback or mapped.is_unspecified)
