"""python -m bench.arrivals [CALLS A DAY] [PROCESSOR SECONDS A CALL]: how long calls wait for a worker on a day with peaks (10,000 and 26 unless told).

Calls come by the hours of a hotline's day (PROFILE; inside an hour at random), with lengths that vary as calls do; workers take the one that has waited
longest. A row a number of workers: how many times the day's work they could do in 24 hours, the waits, and when the queue was empty again. A day of more than
SIMULATED calls is simulated as so many with as many times fewer workers; waits in a large pool are then stated too high, not too low.
"""

import heapq
import random
import sys

from bench.data import table

SIMULATED = 50_000
# Share of a day's calls in each hour, 0 to 23: two working-day peaks, an evening, little at night. Not measured at an insurer: replace it by your own.
PROFILE = (0.4, 0.3, 0.2, 0.2, 0.3, 0.6, 1.5, 3.5, 7.5, 10.5, 10.8, 8.5, 5.5, 6.5, 9.0, 9.2, 8.0, 6.5, 4.0, 2.8, 2.0, 1.2, 0.7, 0.3)  # fmt: skip
SPREAD = 0.6  # sigma of the lengths' logarithm
ROOM = (0.9, 1.1, 1.3, 1.6, 2.0, 2.6)


def day(calls: int, mean_s: float, dice: random.Random) -> list[tuple[float, float]]:
    """When each call comes (seconds from midnight) and how long it takes a worker."""
    hours = dice.choices(range(24), PROFILE, k=calls)
    times = sorted(3600 * (hour + dice.random()) for hour in hours)
    shift = SPREAD**2 / 2  # so that the mean is the mean
    return [(at, mean_s * dice.lognormvariate(-shift, SPREAD)) for at in times]


def waits(arrivals: list[tuple[float, float]], workers: int) -> tuple[list[float], float]:
    """How long each call waits, and when the last one is done."""
    free = [0.0] * workers
    waited = []
    for at, takes in arrivals:
        begins = max(at, heapq.heappop(free))
        waited.append(begins - at)
        heapq.heappush(free, begins + takes)
    return waited, max(free)


def main() -> None:
    """Print the table."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    mean_s = float(sys.argv[2]) if len(sys.argv) > 2 else 26.0
    scale = max(1.0, calls / SIMULATED)
    arrivals = day(round(calls / scale), mean_s, random.Random(5))
    body = []
    for workers in sorted({max(1, round(calls * mean_s / 86_400 * room / scale)) for room in ROOM}):
        waited, last = waits(arrivals, workers)
        waited.sort()
        at = [waited[int(len(waited) * share) - 1] / 60 for share in (0.5, 0.95, 1.0)]
        real = round(workers * scale)
        body.append(
            [f"{workers * scale * 86_400 / (calls * mean_s):.1f}", real, *(f"{minutes:.1f}" for minutes in at), f"{last / 3600:.1f}"]
        )
    print(f"{calls:,} calls a day, {mean_s:g} s of one core each; one worker a core\n")
    print(
        table(["room (1 = the day's work in 24 h)", "workers", "median wait, min", "95 %, min", "longest, min", "queue empty at, h"], body)
    )


if __name__ == "__main__":
    main()
