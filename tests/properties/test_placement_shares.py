from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from simulator.delivery.placement import apportion, place

POPULATIONS = st.dictionaries(
    st.sampled_from([f"p{number}" for number in range(47)]),
    st.integers(1, 14_000_000),
    min_size=1,
)


@given(st.integers(0, 100_000), POPULATIONS)
def test_shares_add_up_and_nobody_is_left_out(count: int, people: dict[str, int]) -> None:
    shares = apportion(count, tuple(people), people)

    assert sum(shares.values()) == count
    assert list(shares) == list(people)
    assert min(shares.values()) >= (1 if count >= len(people) else 0)


@given(st.integers(0, 100_000), POPULATIONS)
def test_more_people_never_get_fewer_subscribers(count: int, people: dict[str, int]) -> None:
    shares = apportion(count, tuple(people), people)

    for one, inhabitants in people.items():
        for other, others in people.items():
            if inhabitants > others:
                assert shares[one] >= shares[other]


@given(st.integers(47, 100_000), POPULATIONS)
def test_where_all_quotas_reach_one_each_share_is_within_one_of_its_quota(
    count: int, people: dict[str, int]
) -> None:
    total = sum(people.values())
    quotas = {slug: Fraction(count * value, total) for slug, value in people.items()}
    if min(quotas.values()) < 1:
        return
    shares = apportion(count, tuple(people), people)

    assert all(abs(shares[slug] - quotas[slug]) < 1 for slug in people)


@given(st.integers(0, 500), POPULATIONS, st.integers(0, 47))
def test_controls_never_stand_in_an_alerted_prefecture(
    count: int, people: dict[str, int], alerted: int
) -> None:
    chosen = tuple(people)[:alerted]
    placed = place(count, chosen, people, run="r", root="alertsim")

    assert all((each.prefecture in chosen) == (each.kind == "swarm") for each in placed)
    assert sum(each.kind == "swarm" for each in placed) == (count if chosen else 0)
