"""Measurements of a server in Prometheus' format."""

from collections.abc import Iterable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The metrics of one app, in a registry of their own.

    Label routes by their pattern and unknown methods as OTHER, so that clients can't make new time
    series.
    """

    def __init__(self, model: str) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.registry = registry
        self.requests = Counter(
            "http_requests_total",
            "Responses by status; 499 means that the client left.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.request_seconds = Histogram(
            "http_request_duration_seconds",
            "From the request's header to the response's end.",
            ("method", "route"),
            buckets=SECONDS,
            registry=registry,
        )
        self.in_progress = Gauge(
            "http_requests_in_progress",
            "Requests being received or responded to.",
            registry=registry,
        )
        self.bytes_in_flight = Gauge(
            "http_request_bytes_in_flight",
            "Bytes of bodies from their arrival until the response.",
            registry=registry,
        )
        self.ready = Gauge("model_ready", "1 when the model responds.", registry=registry)
        self.load_seconds = Gauge("model_load_seconds", "How long loading took.", registry=registry)
        self.threads = Gauge("inference_threads", "Threads that compute.", registry=registry)
        self.queue_depth = Gauge(
            "inference_queue_depth", "Requests waiting for a thread.", registry=registry
        )
        self.queue_seconds = Histogram(
            "inference_queue_seconds",
            "How long a request waited for a thread.",
            buckets=SECONDS,
            registry=registry,
        )
        self.batch_size = Histogram(
            "inference_batch_size",
            "Requests computed together.",
            buckets=BATCH_SIZES,
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "inference_batch_seconds",
            "How long a batch was computed.",
            buckets=SECONDS,
            registry=registry,
        )
        self.rejections = Counter(
            "inference_rejections_total",
            "Predictions refused or cancelled, by reason.",
            ("reason",),
            registry=registry,
        )
        served = ("model", "version", "fingerprint")
        self._info = Gauge(
            "model_info", "Always 1; names the model that is loaded.", served, registry=registry
        )
        self._predictions = Counter(
            "model_predictions_total",
            "Requests that the model responded to, by outcome: ok, or error.",
            (*served, "outcome"),
            registry=registry,
        )
        self._device = Gauge(
            "model_device_info",
            "Always 1; names what the network runs on, the preferred device first, and computes in.",
            ("model", "device", "precision"),
            registry=registry,
        )
        self._model = model
        self._oks: Counter | None = None
        self._errors: Counter | None = None

    def show_model(self, version: str, fingerprint: str) -> None:
        """Name what is served, once it is loaded."""
        served = (self._model, version, fingerprint)
        self._info.labels(*served).set(1)
        self._oks, self._errors = (
            self._predictions.labels(*served, outcome) for outcome in ("ok", "error")
        )

    def count_predictions(self, results: Iterable[object]) -> None:
        """Count the results of a batch; exceptions are errors."""
        failed = [isinstance(result, Exception) for result in results]
        for counter, is_error in ((self._oks, False), (self._errors, True)):
            if counter and (count := failed.count(is_error)):
                counter.inc(count)

    def show_device(self, runs_on: Sequence[str], precision: str | None) -> None:
        """Name what the model's network runs on and computes in, if it has one."""
        if runs_on:
            self._device.labels(self._model, ",".join(runs_on), str(precision)).set(1)

    def render(self, *, as_openmetrics: bool) -> tuple[bytes, str]:
        """All metrics and their media type: OpenMetrics, or plain text."""
        if as_openmetrics:
            content: bytes = openmetrics.generate_latest(self.registry)  # type: ignore[no-untyped-call]
            return content, openmetrics.CONTENT_TYPE_LATEST
        return generate_latest(self.registry), CONTENT_TYPE_PLAIN_0_0_4
