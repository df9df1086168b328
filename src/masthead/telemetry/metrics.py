"""What Masthead counts, and how Prometheus reads it.

Counting costs an addition, because it happens for every page: the numbers are plain integers of the event loop's
thread and become Prometheus' families when somebody scrapes. No label ever holds a key, a hash of one, or
anything else without a bound. Every metric has a heading in ``docs/reference/metrics.md``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from masthead import __version__
from masthead.kernel.errors import Reason
from masthead.telemetry.readings import Readings

__all__ = ["Metrics", "PagingMetrics"]

_MINUTE, _HOUR = 60.0, 3600.0
#: From one round trip on the same continent to the default deadline.
_ACCEPTANCE_BOUNDS_S = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, _MINUTE, 5 * _MINUTE, 15 * _MINUTE,
    30 * _MINUTE, _HOUR,
)  # fmt: skip
#: From the fastest answer to the longest time-out that anybody sets.
_ATTEMPT_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
#: Stands where there is no reason: an empty label would be a missing one.
_NO_REASON = "none"
#: Ways to fail for good, counted from 0 on, so that the first one is an increase that an alert can see.
_FATES = (
    ("accepted", _NO_REASON),
    ("rejected", Reason.KEY.value),
    ("rejected", Reason.REJECTED.value),
    ("rejected", Reason.NOT_FOUND.value),
    ("expired", Reason.EXPIRED.value),
)


class PagingMetrics(Collector):
    """What paging counts; its methods are called on the event loop's thread only."""

    def __init__(self) -> None:
        self._pages: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._attempts: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._deliveries: defaultdict[tuple[str, ...], int] = defaultdict(int, dict.fromkeys(_FATES, 0))
        self._attempt_s: dict[str, _Histogram] = {}
        self._acceptance_s = _Histogram(_ACCEPTANCE_BOUNDS_S)
        self._folded = 0
        self._dead_letters = 0

    def page_stored(self, door: str, severity: str, kind: str = "trigger") -> None:
        """Count a page (or a change event, or what follows up on a page) that was stored, however many keys it has."""
        self._pages[door, severity, kind] += 1

    def attempted(self, protocol: str, outcome: str, reason: str | None, duration_s: float) -> None:
        """Count one request to PagerDuty and how long it took."""
        self._attempts[protocol, outcome, reason or _NO_REASON] += 1
        histogram = self._attempt_s.get(protocol)
        if histogram is None:
            histogram = self._attempt_s[protocol] = _Histogram(_ATTEMPT_BOUNDS_S)
        histogram.observe(duration_s)

    def decided(self, state: str, reason: str | None, seconds_since_request: float) -> None:
        """Count a delivery that was accepted, rejected or expired, so long after it was asked for."""
        self._deliveries[state, reason or _NO_REASON] += 1
        if state == "accepted":
            self._acceptance_s.observe(seconds_since_request)

    def folded(self, count: int) -> None:
        """Count deliveries that another's event speaks for."""
        self._folded += count

    def dead_letter(self) -> None:
        """Count a delivery that was given up because its deadline passed."""
        self._dead_letters += 1

    def collect(self) -> Iterator[Metric]:
        """Give the families, for Prometheus' registry."""
        yield _counter("masthead_pages", "Pages that were stored.", ("door", "severity", "kind"), self._pages)
        yield _counter(
            "masthead_deliveries",
            "Deliveries that were decided, and why they failed.",
            ("state", "reason"),
            self._deliveries,
        )
        yield _counter(
            "masthead_attempts",
            "Requests to PagerDuty's Events APIs.",
            ("protocol", "outcome", "reason"),
            self._attempts,
        )
        yield _histogram(
            "masthead_attempt_seconds",
            "How long PagerDuty took to answer one request.",
            ("protocol",),
            {(protocol,): one for protocol, one in self._attempt_s.items()},
        )
        yield _histogram(
            "masthead_acceptance_seconds",
            "From the request to PagerDuty's acceptance, of accepted deliveries.",
            (),
            {(): self._acceptance_s},
        )
        yield _counter(
            "masthead_folded_deliveries", "Deliveries told by another's event.", (), {(): self._folded}
        )
        yield _counter(
            "masthead_dead_letters", "Deliveries that were given up.", (), {(): self._dead_letters}
        )


class Metrics:
    """All metrics of this process, in a registry of their own."""

    def __init__(self, *, version: str = __version__, readings: Readings | None = None) -> None:
        """Args: version: of Masthead; readings: what is looked up at each scrape."""
        self.paging = PagingMetrics()
        self.readings = readings or Readings()
        self._scraped: list[Metric] = []
        self._version = version
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self.paging)
        self._registry.register(_Families(self))
        ProcessCollector(registry=self._registry)

    async def expose(self, accept: str = "") -> tuple[bytes, str]:
        """Give the metrics as they are now, and their media type.

        Args:
            accept: The scraper's ``Accept``: OpenMetrics where it asks for it, else Prometheus' text.
        """
        self._scraped = await self.readings.take()
        encode, media_type = choose_encoder(accept)
        return encode(self._registry), media_type

    def families(self) -> Iterator[Metric]:
        """Give what belongs to no part: the version, and what this scrape looked up."""
        info = GaugeMetricFamily("masthead_build_info", "1, with the version.", labels=("version",))
        info.add_metric((self._version,), 1)
        yield from (info, *self._scraped)


class _Families(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return self._metrics.families()


class _Histogram:
    """Counts of observations by upper bound."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count *value*; a clock that was set back gives a negative one, which is none."""
        value = max(value, 0.0)
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def cumulated(self) -> tuple[list[tuple[str, float]], float]:
        """Give the buckets as Prometheus has them, each with all below it, and the sum."""
        total, buckets = 0, []
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        return buckets, self._sum


def _counter(
    name: str, doc: str, labels: Sequence[str], values: Mapping[tuple[str, ...], int]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, doc, labels=labels)
    for given, count in values.items():
        family.add_metric(given, count)
    return family


def _histogram(
    name: str, doc: str, labels: Sequence[str], values: Mapping[tuple[str, ...], _Histogram]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, doc, labels=labels)
    for given, one in values.items():
        buckets, total = one.cumulated()
        family.add_metric(given, buckets, total)
    return family
