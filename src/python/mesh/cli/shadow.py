"""`mesh shadow`: compare a server with another one by real requests."""

import asyncio
import contextlib
import datetime
import math
import random
import re
import socket
import ssl
from pathlib import Path

import click
import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from mesh.cli.paths import TypedPath
from mesh.core.errors import UNDECIDED, MeshError, UsageError
from mesh.core.files import write_json_atomic
from mesh.core.tables import make_table, print_table
from mesh.core.urls import mask_url
from mesh.loadtest.plan import PlannedRequest
from mesh.loadtest.server import Server
from mesh.loadtest.settings import LoadSettings
from mesh.loadtest.shadow import ComparedServer, ShadowReport
from mesh.loadtest.shadow_proxy import MOST_WAITING, ShadowProxy
from mesh.serve.addresses import base_url
from mesh.serve.hosts import allowed_hosts, parse_patterns
from mesh.serve.middleware import request_id_of
from mesh.serve.request_check import RequestCheck
from mesh.serve.server import listen, stop_by_signal
from mesh.serve.settings import ServeSettings
from mesh.serve.uvicorn_server import serve_until

_SHOWN = 10


def _server_url(_context: click.Context, parameter: click.Parameter, url: str) -> str:
    """Check the URL of a server; a wrong one is shown without its password."""
    if re.fullmatch(LoadSettings.URL_PATTERN, url):
        return url
    shown = mask_url(url) if "://" in url else url.rpartition("@")[2]
    raise UsageError(
        f"{parameter.opts[0]} {shown!r} isn't the URL of a server: write http:// or https:// "
        "and a host, with a port if needed, without user and path."
    )


def _positive(
    _context: click.Context, parameter: click.Parameter, value: float | None
) -> float | None:
    if value is not None and not 0 < value < math.inf:
        raise UsageError(f"{parameter.opts[0]} is {value:g}; it must be above 0.")
    return value


def _hosts(_context: click.Context, parameter: click.Parameter, hosts: str) -> str:
    try:
        parse_patterns(hosts)
    except ValueError as error:
        raise UsageError(f"{parameter.opts[0]}: {error}.") from error
    return hosts


def _share(context: click.Context, parameter: click.Parameter, value: float) -> float:
    _positive(context, parameter, value)
    if value > 1:
        raise UsageError(f"{parameter.opts[0]} is {value:g}; it can't be above 1, which is all.")
    return value


@click.command("shadow")
@click.option(
    "--of", "of_url", callback=_server_url, required=True, help="URL of the server that responds."
)
@click.option(
    "--with",
    "shadow_url",
    callback=_server_url,
    required=True,
    help="URL of its shadow, whose responses nobody gets.",
)
@click.option(
    "--share",
    type=float,
    callback=_share,
    default=0.1,
    show_default=True,
    help="The share of the predictions that the shadow gets, above 0 and at most 1.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Port; 0 for any.",
)
@click.option(
    "--allowed-hosts",
    "hosts",
    envvar="SERVE_ALLOWED_HOSTS",
    default="",
    callback=_hosts,
    help="Names of hosts that requests may be sent to; by default those of servers.",
)
@click.option(
    "--seconds",
    type=float,
    callback=_positive,
    help="When to end; by default at Ctrl-C or SIGTERM.",
)
@click.option(
    "--timeout",
    type=float,
    callback=_positive,
    default=60,
    show_default=True,
    help="Seconds of a server's silence after which a request has failed.",
)
@click.option("--ca-file", type=TypedPath(exists=True), help="Authorities to trust, in PEM.")
@click.option("--report", type=TypedPath(), help="A file to write the report to, as JSON.")
def command(
    of_url: str,
    shadow_url: str,
    share: float,
    host: str,
    port: int,
    hosts: str,
    seconds: float | None,
    timeout: float,
    ca_file: Path | None,
    report: Path | None,
) -> int:
    if of_url == shadow_url:
        raise UsageError(f"--of and --with are both {of_url}; name two servers.")
    certificates = _certificates(ca_file)
    model, of, shadow = _describe(of_url, shadow_url, timeout, ca_file)
    # Without validation, which would read the variables of servers.
    settings = ServeSettings.model_construct(
        host=host, port=port, allowed_hosts=hosts, drain_seconds=timeout
    )
    started = datetime.datetime.now(datetime.UTC)
    with listen(settings, port) as listener:
        address = base_url(host, listener.getsockname()[1])
        click.echo(
            f"Requests to {address} go to {of_url}, and {share:g} of the predictions of {model} to "
            f"{shadow_url} too. Ctrl-C ends it and shows the comparison."
        )
        proxy = ShadowProxy(
            _client(of_url, timeout, certificates),
            _client(shadow_url, timeout, certificates),
            model,
            lambda: random.random() < share,  # noqa: S311 - nobody gains by guessing
        )
        asyncio.run(_serve(proxy, settings, listener, seconds))
    found = proxy.comparison.report(model, of, shadow, share, started)
    _show(found)
    if report:
        write_json_atomic(report, found.model_dump(mode="json"))
        click.echo(f"{report} has the report")
    return UNDECIDED if found.same is None else int(not found.same)


def _certificates(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        reason = error.strerror or "no certificates in PEM"
        raise UsageError(f"--ca-file {ca_file} can't be read ({reason}).") from error


def _describe(
    of_url: str, shadow_url: str, timeout: float, ca_file: Path | None
) -> tuple[str, ComparedServer, ComparedServer]:
    """The model that both servers serve, and both.

    Raises:
        MeshError: one isn't ready, or the shadow serves another model.
    """
    advice = {"ca_setting": "--ca-file"}
    with (
        Server(of_url, timeout, ca_file, url_setting="--of", **advice) as of,
        Server(shadow_url, timeout, ca_file, url_setting="--with", **advice) as shadow,
    ):
        for server in (of, shadow):
            server.require_ready()
        model, other = of.model_name(), shadow.model_name()
        if model != other:
            raise MeshError(
                f"The server at {shadow_url} serves {other}, but the one at {of_url} serves {model}; "
                f"set --with to another server of {model}."
            )
        bio = PlannedRequest(method="GET", path=f"/v1/model/{model}/bio")
        return (
            model,
            ComparedServer(url=of_url, fingerprint=of.bio(bio, model).fingerprint),
            ComparedServer(url=shadow_url, fingerprint=shadow.bio(bio, model).fingerprint),
        )


def _client(url: str, timeout: float, certificates: ssl.SSLContext) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=url,
        timeout=timeout,
        trust_env=False,
        verify=certificates,
        limits=httpx.Limits(max_connections=None),
        headers={"Accept-Encoding": "identity"},
    )


async def _serve(
    proxy: ShadowProxy,
    settings: ServeSettings,
    listener: socket.socket,
    seconds: float | None,
) -> None:
    """Pass requests on until the time is over or a signal comes; then wait for the shadow."""
    stop = stop_by_signal()

    async def stopped() -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)

    address = listener.getsockname()[0]
    hosts = allowed_hosts(settings.allowed_hosts, settings.host, address)
    app = proxy.app()
    # It also refuses what two servers may read differently.
    app.add_middleware(RequestCheck, hosts=hosts)
    app.add_middleware(_GivesId)
    await serve_until(stopped, app, settings, [listener], None)
    await proxy.close()


class _GivesId:
    """Gives each request the id that a refusal of it names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["state"]["request_id"] = request_id_of(scope)
        await self._app(scope, receive, send)


def _show(report: ShadowReport) -> None:
    counts = ", ".join(f"{count} {verdict}" for verdict, count in report.compared.items())
    click.echo(
        f"{report.requests} predictions; the shadow got {sum(report.compared.values())}: "
        f"{counts or 'nothing to compare'}. Not sent: {report.failed} that the server itself failed, "
        f"{report.skipped} when {MOST_WAITING} others waited."
    )
    table = make_table("answers", "p50 ms", "p95 ms", "p99 ms", "server")
    for times, server in (
        (report.of_times, report.of),
        (report.shadow_times, report.shadow),
    ):
        figures = (
            "-" if one is None else f"{one:.1f}" for one in (times.p50, times.p95, times.p99)
        )
        table.add_row(str(times.answers), *figures, server.url)
    print_table(table)
    for one in report.differences[:_SHOWN]:
        click.echo(f"{one.request_id} {one.path}: {one.found}")
    if len(report.differences) > _SHOWN:
        click.echo(f"and {len(report.differences) - _SHOWN} more, which --report writes")
