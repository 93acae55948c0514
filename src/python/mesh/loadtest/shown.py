"""The report of a load test, shown to people."""

from rich.console import Console

from mesh.core.tables import make_table
from mesh.loadtest.criteria import LoadTestEvaluation
from mesh.loadtest.report import LoadTestReport


def show(report: LoadTestReport, evaluation: LoadTestEvaluation) -> None:
    """Print the measurements, the reasons of failures, and the verdict."""
    console = Console()
    if report.runs_on:
        precision = f" in {report.precision}" if report.precision else ""
        _print(console, f"The model ran on {' and '.join(report.runs_on)}{precision}.")
    _show_measurements(console, report)
    _show_server(console, report)
    _show_criteria(console, report, evaluation)
    _show_generator(console, report)
    if evaluation.inconclusive:
        reasons = "; ".join(evaluation.inconclusive)
        _print(console, f"The load test is inconclusive: {reasons}.")
    else:
        verdict = "passed" if evaluation.passed else "failed"
        _print(console, f"The load test has {verdict}.")


def _show_measurements(console: Console, report: LoadTestReport) -> None:
    table = make_table(
        "requests", "failed", "/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "endpoint"
    )
    for endpoint in report.completed.values():
        figures = endpoint.measurements
        table.add_row(
            str(figures.requests_total),
            str(figures.failures_total),
            _figure(figures.requests_rps),
            _figure(figures.response_time_p50),
            _figure(figures.response_time_p95),
            _figure(figures.response_time_p99),
            _figure(figures.max_response_time),
            _short(report, endpoint.endpoint_type, endpoint.endpoint_url),
        )
    console.print(table)
    for endpoint in report.completed.values():
        for reason, count in endpoint.failures.items():
            _print(console, f"{count} x {reason}")


def _show_server(console: Console, report: LoadTestReport) -> None:
    if report.server is None:
        return
    if report.server.problem:
        _print(console, f"The server's own times can't be had: {report.server.problem}.")
        return
    _print(console, "By the server's own clock, interpolated:")
    table = make_table("requests", "p50 ms", "p95 ms", "p99 ms", "endpoint")
    for key, endpoint in report.completed.items():
        own = report.server.completed[key]
        table.add_row(
            str(own.requests),
            _figure(own.response_time_p50),
            _figure(own.response_time_p95),
            _figure(own.response_time_p99),
            _short(report, endpoint.endpoint_type, endpoint.endpoint_url),
        )
    console.print(table)
    if report.server.resident_bytes is not None and report.server.processor is not None:
        _print(
            console,
            f"The server used {report.server.processor:.2f} cores, and has "
            f"{report.server.resident_bytes / 2**20:.0f} MiB of memory resident.",
        )


def _show_criteria(
    console: Console, report: LoadTestReport, evaluation: LoadTestEvaluation
) -> None:
    table = make_table("", "measured", "bound", "criterion")
    for item in evaluation.evaluated_criteria:
        verdict = "passed" if item.passed else "failed" if item.hard else "failed (soft)"
        table.add_row(
            verdict,
            _figure(item.measured),
            f"{'at most' if item.ensure_lower else 'at least'} {item.threshold:g}",
            f"{item.name} of {_short(report, item.endpoint_type, item.endpoint_url)}",
        )
    console.print(table)


def _show_generator(console: Console, report: LoadTestReport) -> None:
    if generator := report.generator:
        _print(
            console,
            f"Load generator: {generator.users_started} of {report.users} users, "
            f"{report.num_requests / report.duration_seconds:.1f} requests/s, "
            f"{generator.processor:.0%} of its core, lag {generator.lag_p50_ms:.1f} ms in the median, "
            f"{generator.lag_max_ms:.1f} ms at most.",
        )


def _print(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False)


def _short(report: LoadTestReport, method: str, path: str) -> str:
    return f"{method} {path.removeprefix(f'/v1/model/{report.project}/')}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
