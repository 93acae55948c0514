"""The keywords server under overload: accepted and refused requests, times and memory."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.http_load import closed_loop, each_once, open_loop, percentile
from benchmarks.keywords_serving import keywords_server, requests
from benchmarks.models import compiled_keywords, paragraphs
from benchmarks.report import print_table
from benchmarks.server_process import ServerProcess
from mesh.core.errors import MeshError
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

SHARES = (0.5, 1.0, 2.0, 4.0, 4.0, 0.5)


class OverloadSettings(MeshSettings):
    """The extent of the measurement."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    seconds: float = Field(20, gt=0, description="Duration of each rate.")
    queue_size: int = Field(64, ge=1, description="The server's SERVE_QUEUE_SIZE.")


def main_run(settings: OverloadSettings) -> None:
    """Find the sustainable rate, send up to four times as much and back, print the results."""
    sent = requests(paragraphs())
    with (
        compiled_keywords() as folder,
        keywords_server(folder, f"--queue-size={settings.queue_size}") as server,
    ):
        # Afterwards, all candidates are cached.
        each_once(server.port, sent, clients=8)
        sustainable = closed_loop(server.port, sent, clients=8, seconds=settings.seconds).rate
        # The time for a full queue at the sustainable rate.
        bound = settings.queue_size / sustainable
        rows = [
            [f"{share:g}x", *_row(server, sent, share * sustainable, bound, settings)]
            for share in SHARES
        ]
    print_table(
        f"Sustainable: {sustainable:.1f} documents/s; the queue of {settings.queue_size}: "
        f"{bound:.2f} s; {settings.seconds:g} s each",
        (
            *("rate", "offered/s", "accepted/s", "accepted p50 s", "accepted p99 s", "of bound"),
            *("refused", "refused p99 ms", "resident MiB"),
        ),
        rows,
        packages=("onnxruntime", "uvicorn", "starlette"),
    )


def _row(
    server: ServerProcess,
    sent: list[bytes],
    rate: float,
    bound: float,
    settings: OverloadSettings,
) -> list[str]:
    run = open_loop(server.port, sent, rate=rate, seconds=settings.seconds)
    accepted = [response.seconds for response in run.responses if response.status == 200]
    refused = [
        response for response in run.responses if response.status == 503 and response.retry_after
    ]
    others = {response.status for response in run.responses} - {200, 503}
    if others or len(accepted) + len(refused) < len(run.responses):
        raise MeshError(f"The server also returned {sorted(others)}, or 503 without Retry-After.")
    p99 = percentile(accepted, 0.99)
    return [
        f"{len(run.responses) / settings.seconds:.1f}",
        f"{len(accepted) / run.seconds:.1f}",
        f"{percentile(accepted, 0.5):.3f}",
        f"{p99:.3f}",
        f"{p99 / bound:.2f}",
        f"{len(refused) / len(run.responses):.0%}",
        (
            f"{percentile([response.seconds for response in refused], 0.99) * 1e3:.0f}"
            if refused
            else ""
        ),
        f"{server.resident_mebibytes():.0f}",
    ]


main = Program(component="benchmarks", name="overload", run=main_run, settings=(OverloadSettings,))

if __name__ == "__main__":
    main()
