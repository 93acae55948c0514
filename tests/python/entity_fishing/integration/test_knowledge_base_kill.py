"""A killed build resumes where it was."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import entity_fishing.knowledge_base.build
from entity_fishing.knowledge import KnowledgeBase

DUMP = Path(__file__).parents[1] / "data" / "dump.jsonl"
COPIES = 20_000


def test_killed_build_resumes(tmp_path):
    dump, output = tmp_path / "dump.json", tmp_path / "kb.sqlite"
    line = DUMP.read_text(encoding="utf-8").splitlines()[3].rstrip(",")
    with dump.open("w", encoding="utf-8") as file:
        file.write("[\n")
        file.writelines(
            line.replace('"Q42"', f'"Q{number}"') + ",\n" for number in range(1, COPIES)
        )
        file.write(line.replace('"Q42"', f'"Q{COPIES}"') + "\n]\n")
    program = entity_fishing.knowledge_base.build.__file__
    command = [sys.executable, program, "--dump", str(dump), "--output", str(output)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    partial = tmp_path / ".kb.sqlite.partial"
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None and lines_done(partial) < 1:
            pass
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
    assert 0 < lines_done(partial) < COPIES
    assert not output.exists()
    again = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "resuming after line" in again.stderr
    knowledge = KnowledgeBase.open(output)
    assert len(knowledge) == COPIES
    assert len(knowledge.containing("Noël", "en")) == 20
    assert not partial.exists()


def lines_done(partial: Path) -> int:
    """The number of lines that a build has committed."""
    try:
        database = sqlite3.connect(f"{partial.as_uri()}?mode=ro", uri=True)
        [lines] = database.execute("SELECT lines FROM progress").fetchone()
    except (sqlite3.Error, TypeError):
        return 0
    return int(lines)
