"""Drawing and sharing out, and agreement against published values."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phrasecheck.store.draws import Candidate, agreement, per_agent, percentage, shared_out, some

CALLS = [Candidate(call_id=f"c{number}", agent=f"a{number % 4}" if number % 5 else None) for number in range(100)]


def ids(drawn: list[Candidate]) -> list[str]:
    return [candidate.call_id for candidate in drawn]


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    assert ids(percentage(CALLS, 10, "s")) == ids(percentage(CALLS[::-1], 10, "s"))
    assert ids(percentage(CALLS, 10, "s")) != ids(percentage(CALLS, 10, "t"))
    assert len(percentage(CALLS, 10, "s")) == 10


def test_calls_that_came_in_later_do_not_shuffle_the_earlier() -> None:
    before = ids(percentage(CALLS[:50], 20, "s"))
    assert set(before) <= set(ids(percentage(CALLS, 100, "s")))
    assert [c for c in ids(percentage(CALLS, 100, "s")) if c in before] == before


def test_a_percentage_is_at_least_one_of_any() -> None:
    assert len(percentage(CALLS[:3], 1, "s")) == 1
    assert percentage([], 50, "s") == []
    assert len(percentage(CALLS, 100, "s")) == len(percentage(CALLS, 99.5, "s")) == 100


def test_so_many_of_each_agent() -> None:
    drawn = per_agent(CALLS, 3, "s")
    assert Counter(candidate.agent for candidate in drawn) == {"a0": 3, "a1": 3, "a2": 3, "a3": 3}
    assert len(per_agent(CALLS, 1000, "s")) == 80, "calls of nobody known are left out"


@given(
    st.integers(0, 60),
    st.dictionaries(st.integers(1, 9), st.integers(0, 20), min_size=1, max_size=6),
    st.integers(0, 100),
    st.text(max_size=5),
)
def test_everybody_gets_the_same_and_nobody_twice(number: int, loads: dict[int, int], double: int, seed: str) -> None:
    drawn = some(CALLS, number, seed)
    shares = shared_out(drawn, loads, double, seed)
    assert Counter(s.call_id for s in shares if not s.blind) == Counter(ids(drawn))
    assert max(Counter((s.call_id, s.user_id) for s in shares).values(), default=1) == 1
    blind = [s.call_id for s in shares if s.blind]
    assert len(blind) == len(set(blind)) == (0 if len(loads) == 1 else len(percentage(drawn, double, seed)))
    after = Counter(loads) + Counter(s.user_id for s in shares)
    given_to = [user for user in loads if after[user] > loads[user]]
    assert blind or all(after[busy] - 1 <= after[idle] for busy in given_to for idle in loads)


@pytest.mark.parametrize(
    ("both", "first", "second", "neither", "kappa"),
    [
        (20, 5, 10, 15, 0.4),  # Wikipedia, «Cohen's kappa», the grant proposals
        (45, 15, 25, 15, 0.1304),  # the same page, 60 % agreement and unequal marginals
        (25, 35, 5, 35, 0.2593),
        (10, 0, 0, 10, 1.0),
        (0, 10, 10, 0, -1.0),
    ],
)
def test_kappa_of_known_tables(both: int, first: int, second: int, neither: int, kappa: float) -> None:
    pairs = [(True, True)] * both + [(True, False)] * first + [(False, True)] * second + [(False, False)] * neither
    found = agreement(pairs)
    assert found.kappa == pytest.approx(kappa, abs=1e-4)
    assert found.items == both + first + second + neither
    assert found.agreed == pytest.approx((both + neither) / found.items)


def test_without_variation_there_is_no_kappa() -> None:
    assert agreement([]).kappa is None
    assert agreement([(True, True)] * 5).kappa is None
    assert agreement([(True, True)] * 5).agreed == 1
