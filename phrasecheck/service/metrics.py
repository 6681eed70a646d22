"""What Prometheus is told.

In: requests as they end, the calls table when it is asked. Out: the text of /metrics. The one decision: numbers of calls are read from the table at
the moment of asking, so that they hold over restarts and over several web processes.
"""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from phrasecheck.store.states import CallState

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds


class Metrics:
    """The counters of one application. Other parts may put their own into `registry`."""

    def __init__(self, calls: Callable[[], Mapping[CallState, int]], workers: Callable[[], int]) -> None:
        """`calls` says how many are in each state, `workers` how many are alive."""
        self.registry = CollectorRegistry()
        self._requests = Counter("phrasecheck_requests", "Requests answered", ("method", "route", "status"), registry=self.registry)
        self._seconds = Histogram("phrasecheck_request_seconds", "Time to answer", ("route",), registry=self.registry, buckets=BUCKETS)
        self.registry.register(_Asked(calls, workers))

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)


class _Asked(Collector):
    def __init__(self, calls: Callable[[], Mapping[CallState, int]], workers: Callable[[], int]) -> None:
        self._calls, self._workers = calls, workers

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing is asked of the database when this is registered."""
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Asked anew each time."""
        calls = GaugeMetricFamily("phrasecheck_calls", "Calls by state (queued: the length of the queue)", labels=["state"])
        for state, number in self._calls().items():
            calls.add_metric([state], number)
        yield calls
        yield GaugeMetricFamily("phrasecheck_workers", "Workers alive", value=self._workers())
