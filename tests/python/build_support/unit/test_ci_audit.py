"""Vulnerabilities of what the locks pin, by the real pip-audit and a service of our own."""

import json
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import audit
import pytest

from services.http import Handler, running


class Osv(ThreadingHTTPServer):
    """Knows vulnerabilities by package, and what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), OsvHandler)
        self.known: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, str]] = []
        self.status = 200


class OsvHandler(Handler):
    server: Osv

    def do_POST(self) -> None:
        query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = query["package"]["name"]
        self.server.asked.append((name, query["version"]))
        found = self.server.known.get(name)
        self.answer(self.server.status, json.dumps({"vulns": found} if found else {}).encode())


def vulnerability(name: str, identifier: str, alias: str) -> dict[str, Any]:
    events = [{"introduced": "0"}, {"fixed": "99.1"}]
    affected = {
        "package": {"name": name, "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    return {"id": identifier, "aliases": [alias], "summary": "Bad.", "affected": [affected]}


@pytest.fixture
def osv(monkeypatch: pytest.MonkeyPatch) -> Iterator[Osv]:
    with running(Osv()) as server:
        monkeypatch.setenv("OSV_URL", f"http://127.0.0.1:{server.server_address[1]}/v1/query")
        yield server


@pytest.fixture
def pip_audit(python_of_pip_audit: list[str]) -> list[str]:
    return [*python_of_pip_audit, "-m", "pip_audit"]


LOCKS = {
    "a.lock": "# made\none==1.0 \\\n    --hash=sha256:" + "ab" * 32 + "\ntorch==2.1.0+cpu\n",
    "b.lock": "one==2.0 ; python_version < '4'\ntorch==2.1.0\n",
}


def test_each_release_is_asked_about_once() -> None:
    found = audit.releases(LOCKS)

    assert found == {
        ("one", "1.0"): ["a.lock"],
        ("one", "2.0"): ["b.lock"],
        ("torch", "2.1.0"): ["a.lock", "b.lock"],
    }
    assert audit.batches(found) == [{"one": "1.0", "torch": "2.1.0"}, {"one": "2.0"}]


def test_vulnerability_names_package_locks_and_release(osv: Osv, pip_audit: list[str]) -> None:
    osv.known["torch"] = [vulnerability("torch", "PYSEC-1", "CVE-1")]
    found = audit.releases(LOCKS)

    answers = [entry for batch in audit.batches(found) for entry in audit.ask(pip_audit, batch)]

    assert sorted(osv.asked) == [("one", "1.0"), ("one", "2.0"), ("torch", "2.1.0")]
    sentence = "torch 2.1.0 has PYSEC-1, fixed in 99.1 (a.lock, b.lock)"
    assert audit.problems(answers, found, {}) == [sentence]
    assert audit.problems(answers, found, {"CVE-1": "not called"}) == []
    needless = "the exception for CVE-2 isn't needed"
    assert audit.problems(answers, found, {"CVE-2": "gone"}) == [sentence, needless]


def test_service_that_fails_is_no_clean_bill(
    osv: Osv, pip_audit: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    osv.status = 500

    assert audit.main(["--", *pip_audit]) == 2
    said = capfd.readouterr().err
    assert "no vulnerability is known or ruled out: pip-audit failed" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo 'no network' >&2; exit 1", "pip-audit failed: no network"),
        ("exit 3", "pip-audit failed: exit code 3"),
        ("echo '[]'", "pip-audit failed"),
        ("""echo '{"dependencies": []}'""", "says nothing of one"),
        (
            """echo '{"dependencies": [{"name": "one", "skip_reason": "unknown"}]}'""",
            "not audited: one (unknown)",
        ),
    ],
)
def test_answer_that_leaves_a_package_out_is_none(tmp_path: Path, body: str, said: str) -> None:
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/bash\n{body}\n")
    program.chmod(0o755)

    with pytest.raises(audit.AuditError) as error:
        audit.ask([str(program)], {"one": "1.0"})
    assert said in str(error.value)


def test_program_that_is_missing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert audit.main([str(tmp_path / "none")]) == 2
    assert "can't be started: No such file" in capfd.readouterr().err
