"""How far a figure from a few calls may be trusted.

In: numbers. Out: 95 % intervals, or None where a few numbers say nothing. The one decision: of a share Wilson's interval, which also holds
for 0 of 12; of a mean Student's, and none at all below five values or when all are equal, because an interval without width would claim to
be certain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, variance

Z = 1.959963984540054  # two-sided 95 % of the normal distribution
FEWEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value and where it may really lie."""

    value: float
    low: float
    high: float


def share(part: int, whole: int) -> Interval | None:
    """Wilson (1927), as Newcombe (1998) recommends; None of nothing."""
    if whole == 0:
        return None
    p, z2 = part / whole, Z * Z
    middle = (p + z2 / (2 * whole)) / (1 + z2 / whole)
    half = Z / (1 + z2 / whole) * sqrt(p * (1 - p) / whole + z2 / (4 * whole * whole))
    return Interval(value=p, low=max(0.0, middle - half), high=min(1.0, middle + half))


def mean(values: Sequence[float], highest: float) -> Interval | None:
    """Student's, kept between 0 and `highest`."""
    if len(values) < FEWEST or len(set(values)) == 1:
        return None
    average = fmean(values)
    half = quantile(len(values) - 1) * sqrt(variance(values) / len(values))
    return Interval(value=average, low=max(0.0, average - half), high=min(highest, average + half))


def difference(one: Sequence[float], other: Sequence[float]) -> Interval | None:
    """How much higher `one` is on average (Welch 1947)."""
    if min(len(one), len(other)) < FEWEST:
        return None
    a, b = variance(one) / len(one), variance(other) / len(other)
    if a + b == 0:
        return None
    freedom = (a + b) ** 2 / (a * a / (len(one) - 1) + b * b / (len(other) - 1))
    apart, half = fmean(one) - fmean(other), quantile(freedom) * sqrt(a + b)
    return Interval(value=apart, low=apart - half, high=apart + half)


def quantile(freedom: float) -> float:
    """Two-sided 95 % of Student's distribution, to three digits from 4 degrees of freedom on (Abramowitz and Stegun 26.7.5)."""
    z, n = Z, freedom
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / n**power for power, term in enumerate(terms, 1))
