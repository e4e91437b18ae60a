"""Figures about requests, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Histogram


class HttpMetrics:
    """Counts and durations by route pattern."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        self._requests = Counter("siyu_http_requests", "Requests answered.", labels, registry=registry)
        self._seconds = Histogram("siyu_http_seconds", "Time to answer.", ("method", "route"), registry=registry)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request more; an unknown method counts as OTHER, so that clients cannot grow the figures."""
        known = method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "OTHER"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)
