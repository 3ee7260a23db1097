"""How metric families are declared: in groups by component, with the values of their labels or what bounds those.

A group's families are exported by the roles that use the component, and by no other (``app.metrics.roles``). Labels
whose values are known have samples from the start, so that ``rate()`` sees the first increase; what only a role knows,
such as its action types, it tells in :meth:`Families.start`. No label is ever an id. ``docs/metrics.md`` is generated
from these declarations (``app.metrics.reference``).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final, TypeVar

from prometheus_client import REGISTRY, Counter, Gauge, Metric
from prometheus_client import Histogram as BaseHistogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

# From a stage that is over at once to one that waits out an outage.
STAGE_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)
C = TypeVar("C", bound=Collector)

UNITS: Final = ("seconds", "bytes", "ratio")

Values = Sequence[str] | str
"""The values of a label; a text says what bounds them where they are not known beforehand."""


class Histogram(BaseHistogram):
    """A histogram that takes a batch at the price of a few observations."""

    def observe_all(self, amounts: Iterable[float]) -> None:
        """Observe each of some amounts."""
        total, tally = 0.0, dict[int, int]()
        for amount in amounts:
            total += amount
            at = bisect_left(self._upper_bounds, amount)
            tally[at] = tally.get(at, 0) + 1
        self._add(total, tally)

    def observe_times(self, amount: float, times: int) -> None:
        """Observe one amount several times."""
        self._add(amount * times, {bisect_left(self._upper_bounds, amount): times})

    def _add(self, total: float, tally: Mapping[int, int]) -> None:
        for at, count in tally.items():
            self._buckets[at].inc(count)
        if tally:
            self._sum.inc(total)


Samples = Mapping[tuple[str, ...], float]


class Reading(Collector):
    """A gauge of which something else knows the values: asked for when the page is, in whichever thread that runs."""

    def __init__(self, name: str, meaning: str, labels: Sequence[str]) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._source: Callable[[], Samples] = dict

    def watch(self, source: Callable[[], Samples]) -> None:
        """Show what ``source`` returns, by the values of the labels; a process has one at a time."""
        self._source = source

    def describe(self) -> Iterable[Metric]:
        """Return it without samples."""
        return [GaugeMetricFamily(self._name, self._meaning, labels=self._labels)]

    def collect(self) -> Iterable[Metric]:
        """Return it with what there is now."""
        made = GaugeMetricFamily(self._name, self._meaning, labels=self._labels)
        for values, value in self._source().items():
            made.add_metric(values, value)
        return [made]


@dataclass(frozen=True, slots=True)
class Family:
    """One family.

    Attributes:
        name: As its samples are called, of a counter with ``_total``.
        kind: ``counter``, ``gauge`` or ``histogram``.
        meaning: What it counts or measures.
        labels: The values of each label, or what bounds them.
        collector: What is registered.
    """

    name: str
    kind: str
    meaning: str
    labels: Mapping[str, Values]
    collector: Collector = field(repr=False)

    @property
    def unit(self) -> str:
        """Its unit by its name; none of what is counted in pieces."""
        return next((unit for unit in UNITS if f"_{unit}" in self.name), "")


class Families:
    """The families of one component, in the order of their declaration; ``about`` names the component in the docs."""

    def __init__(self, about: str) -> None:
        self.about = about
        self._families: list[Family] = []

    def __iter__(self) -> Iterator[Family]:
        """Iterate over the families."""
        return iter(self._families)

    def counter(self, name: str, meaning: str, **labels: Values) -> Counter:
        """Declare a counter; its name ends with ``_total``."""
        return self._add(name, meaning, "counter", Counter(name, meaning, tuple(labels)), labels)

    def gauge(self, name: str, meaning: str, **labels: Values) -> Gauge:
        """Declare a gauge."""
        return self._add(name, meaning, "gauge", Gauge(name, meaning, tuple(labels)), labels)

    def reading(self, name: str, meaning: str, **labels: Values) -> Reading:
        """Declare a gauge whose values something else knows."""
        made = Reading(name, meaning, tuple(labels))
        REGISTRY.register(made)
        return self._add(name, meaning, "gauge", made, labels)

    def histogram(
        self, name: str, meaning: str, *, buckets: Sequence[float] = STAGE_SECONDS, **labels: Values
    ) -> Histogram:
        """Declare a histogram."""
        made = Histogram(name, meaning, tuple(labels), buckets=buckets)
        return self._add(name, meaning, "histogram", made, labels)

    def _add(self, name: str, meaning: str, kind: str, made: C, labels: Mapping[str, Values]) -> C:
        self._families.append(Family(name, kind, meaning, labels, made))
        return made

    def start(self, known: Mapping[str, Sequence[str]]) -> None:
        """Show, at 0, what is counted: ``known`` are values of labels that only the process knows."""
        for family in self._families:
            if family.kind != "gauge" and family.labels:
                _show(family.collector, [_values(label, values, known) for label, values in family.labels.items()])


def _values(label: str, values: Values, known: Mapping[str, Sequence[str]]) -> Sequence[str]:
    return known.get(label, ()) if isinstance(values, str) else values


def _show(collector: Any, values: Sequence[Sequence[str]]) -> None:
    for combination in product(*values):
        collector.labels(*combination)
