"""`mesh traces`: what programs send, as text."""

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from mesh.cli.traces import Received, below, lines_of
from mesh.core.tracing import ended_span, program_span, span, tracing

MILLISECOND = 1_000_000


def received(name: str, start: float, end: float, parent: str = "", *notes: str) -> Received:
    return Received(
        trace="ab",
        id=name.encode(),
        parent=parent.encode(),
        may_be_top=not parent,
        service="words",
        name=name,
        start=int(start * MILLISECOND),
        end=int(end * MILLISECOND),
        notes=notes,
    )


def test_a_trace_as_text() -> None:
    top = received("request", 0, 24, "", "status_code=200")
    inner = [
        received("batch", 8, 24, "request"),
        received("network", 12, 20, "batch"),
        received("receive", 0, 0.01, "request"),
        received("late", 23.9, 90, "batch"),
    ]
    assert lines_of(top, inner) == [
        "ab words",
        "request          24.0 ms  ━━━━━━━━━━━━━━━━━━━━━━━━  status_code=200",
        "  receive         0.0 ms  ━",
        "  batch          16.0 ms          ━━━━━━━━━━━━━━━━",
        "    network       8.0 ms              ━━━━━━━━",
        "    late         66.1 ms                         ━",
    ]


def test_what_is_below_a_span_whatever_its_order() -> None:
    top = received("a", 0, 1)
    others = [received("c", 0, 1, "b"), received("b", 0, 1, "a"), received("x", 0, 1, "gone")]
    # Spans that name one another as parents end somewhere.
    loop = [received("l", 0, 1, "m"), received("m", 0, 1, "l")]
    assert {each.name for each in below(top, [top, *others, *loop])} == {"b", "c"}


@pytest.fixture
def printing(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """The command, to which this process sends its spans, once it is traced."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "mesh.cli.mesh", "traces", "--port", "0"],
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    line = process.stderr.readline()
    found = re.search(r"OTEL_EXPORTER_OTLP_ENDPOINT=(http://127.0.0.1:\d+)", line)
    assert found is not None, line
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found[1])
    yield process
    process.terminate()
    process.communicate()


def test_the_command_prints_traces(
    printing: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
    for path, status in (("/v1/traces", 400), ("/v1/logs", 404)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{url}{path}", b"not a message")
        assert refused.value.code == status
        refused.value.close()
    assert printing.stdout is not None
    for compression in ("none", "gzip", "deflate"):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
        with tracing("test"), program_span("program\x1b"), span("inner", {"mesh.version": "A-1"}):
            ended_span("shard", {}, 0.001, "ValueError")
        lines = [printing.stdout.readline() for _ in range(5)]
        assert re.fullmatch(r"[0-9a-f]{32} test\n", lines[0])
        names = [re.split(r" +[0-9.,]+ ms ", line)[0] for line in lines[1:]]
        assert names == ["program?", "  inner", "    shard", "\n"]
        assert lines[2].endswith("  version=A-1\n")
        assert lines[3].endswith("  type=ValueError\n")
