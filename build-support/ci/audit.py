"""Fail if a lock has a version with a known vulnerability: `build-support/ci/audit [PROGRAM ...]`.

pip-audit asks OSV about the pins of all locks, by name and version; a version's local part, such as
that of 2.13.0+cpu, is left out, since advisories are about releases. PROGRAM is the command of
pip-audit; by default Pants runs that of 3rdparty/python/tools/pip-audit.lock. Exit codes: 0 no
vulnerability is known; 1 one is, or an exception isn't needed any more; 2 nothing can be said, since
pip-audit or the service failed. OSV_URL is the address of another service with OSV's API.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from locking.locks import LOCKS
from locking.pins import read_pins

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ("./pants", "run", "3rdparty/python:pip-audit-pex", "--")
EXCEPTIONS: dict[str, str] = {}
"""Vulnerabilities that don't concern the programs here: id, and the reason."""

Release = tuple[str, str]
"""A package and its version."""


class AuditError(Exception):
    """Nothing is known about vulnerabilities; the message is for people."""


def releases(texts: Mapping[str, str]) -> dict[Release, list[str]]:
    """The releases that locks pin, each with the locks; `texts` has the locks by path."""
    found: dict[Release, list[str]] = defaultdict(list)
    for path, text in texts.items():
        for pin in read_pins(text):
            locks = found[pin.name, pin.version.partition("+")[0]]
            if path not in locks:
                locks.append(path)
    return found


def batches(found: Iterable[Release]) -> list[dict[str, str]]:
    """Releases as files of requirements, which can't have two versions of a package."""
    made: list[dict[str, str]] = []
    for name, version in sorted(found):
        for batch in made:
            if name not in batch:
                batch[name] = version
                break
        else:
            made.append({name: version})
    return made


def ask(program: Sequence[str], batch: Mapping[str, str]) -> list[dict[str, Any]]:
    """What pip-audit knows about each release.

    Raises:
        AuditError: it doesn't say, or leaves one out.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("".join(f"{name}=={version}\n" for name, version in batch.items()))
        # The pins are complete, so nothing is resolved or installed.
        options = ["--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
        service = ["--vulnerability-service", "osv", "--cache-dir", f"{folder}/cache"]
        if url := os.environ.get("OSV_URL"):
            service += ["--osv-url", url]
        command = [*program, "--requirement", str(file), *options, *service]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        except OSError as error:
            raise AuditError(f"{program[0]} can't be started: {error.strerror}") from error
    try:
        answer: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError) as error:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise AuditError(f"pip-audit failed: {said[-1]}") from error
    if skipped := [
        f"{entry['name']} ({entry['skip_reason']})" for entry in answer if "skip_reason" in entry
    ]:
        raise AuditError(f"not audited: {', '.join(skipped)}")
    if missing := batch.keys() - {entry["name"] for entry in answer}:
        raise AuditError(f"pip-audit says nothing of {', '.join(sorted(missing))}")
    return answer


def problems(
    answers: Iterable[Mapping[str, Any]],
    locks: Mapping[Release, Sequence[str]],
    exceptions: Mapping[str, str],
) -> list[str]:
    """A sentence about each vulnerability, and about each needless exception."""
    found, needed = [], set()
    for entry in answers:
        for vulnerability in entry["vulns"]:
            names = {vulnerability["id"], *vulnerability.get("aliases", ())}
            if known := names & exceptions.keys():
                needed |= known
                continue
            fixed = ", ".join(vulnerability["fix_versions"]) or "no release"
            where = ", ".join(locks[entry["name"], entry["version"]])
            found.append(
                f"{entry['name']} {entry['version']} has {vulnerability['id']}, fixed in {fixed}"
                f" ({where})"
            )
    needless = sorted(exceptions.keys() - needed)
    return [*found, *(f"the exception for {name} isn't needed" for name in needless)]


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", nargs="*", metavar="PROGRAM", default=PROGRAM)
    program = parser.parse_args(arguments).program
    locks = releases({lock.path: (ROOT / lock.path).read_text() for lock in LOCKS})
    try:
        answers = [entry for batch in batches(locks) for entry in ask(program, batch)]
    except AuditError as error:
        print(f"audit: no vulnerability is known or ruled out: {error}.", file=sys.stderr)
        return 2
    found = problems(answers, locks, EXCEPTIONS)
    for sentence in found:
        print(f"audit: {sentence}", file=sys.stderr)
    print(f"audit: {len(locks)} releases in {len(LOCKS)} locks were looked up")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
