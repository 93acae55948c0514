"""Measurements of a server in Prometheus' format."""

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of one app, in a registry of their own.

    Routes are labelled by their pattern and unknown methods as OTHER, so that clients can't make new time series.
    """

    def __init__(self, model: str) -> None:
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.registry = registry
        self.requests = Counter(
            "http_requests_total",
            "Requests answered; status 499 means that the client left.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.request_seconds = Histogram(
            "http_request_duration_seconds",
            "From the request's header to the answer's end.",
            ("method", "route"),
            buckets=SECONDS,
            registry=registry,
        )
        self.in_progress = Gauge(
            "http_requests_in_progress", "Requests being received or answered.", registry=registry
        )
        self.ready = Gauge("model_ready", "1 when predictions are answered.", registry=registry)
        self.load_seconds = Gauge("model_load_seconds", "How long loading took.", registry=registry)
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
            "Predictions refused or given up, by reason.",
            ("reason",),
            registry=registry,
        )
        info = Gauge("model_info", "Always 1; names the model.", ("model",), registry=registry)
        info.labels(model).set(1)

        # By their labels: finding a metric's child takes longer than counting with it.
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._timers: dict[tuple[str, str], Histogram] = {}

    def watch(self, *, ready: Callable[[], float], queue_depth: Callable[[], float]) -> None:
        """Read these two when metrics are asked for."""
        self.ready.set_function(ready)
        self.queue_depth.set_function(queue_depth)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        method = method if method in METHODS else "OTHER"
        counter = self._counters.get((method, route, status))
        if counter is None:
            counter = self.requests.labels(method, route, str(status))
            self._counters[method, route, status] = counter
        timer = self._timers.get((method, route))
        if timer is None:
            timer = self._timers[method, route] = self.request_seconds.labels(method, route)
        counter.inc()
        timer.observe(seconds)

    def render(self, accept: str) -> tuple[bytes, str]:
        """All metrics and their media type: OpenMetrics if the Accept header asks for it, else plain text."""
        encoder, media_type = choose_encoder(accept)
        return encoder(self.registry), media_type
