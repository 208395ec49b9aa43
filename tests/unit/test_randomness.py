import hashlib

import pytest
from numpy.random import PCG64, SeedSequence

from simulator.randomness import Stream, Streams


def test_a_stream_is_raw_pcg64_keyed_by_the_hash_of_its_name() -> None:
    key = int.from_bytes(hashlib.sha256(b"alertsim/7/0/launch/icbm/issue").digest(), "big")
    expected = PCG64(SeedSequence(key)).random_raw(3).tolist()
    stream = Streams(7).stream("launch/icbm/issue")
    assert [stream.raw() for _ in range(3)] == expected


def test_the_numbers_of_a_stream_do_not_change_between_versions() -> None:
    stream = Streams(7).stream("launch/icbm/issue")
    assert [stream.raw() for _ in range(2)] == [7211912439734959640, 18003351139873102446]


def test_a_stream_does_not_depend_on_what_others_drew() -> None:
    alone = Streams(7).stream("b").raw()
    streams = Streams(7)
    streams.stream("a").raw()
    assert streams.stream("b").raw() == alone


def test_streams_differ_by_name_seed_and_replication() -> None:
    first = {
        Streams(seed, replication).stream(name).raw()
        for seed in (0, 1)
        for replication in (0, 1)
        for name in ("a", "b")
    }
    assert len(first) == 8


def test_seed_and_replication_cannot_be_confused() -> None:
    assert Streams(1, 11).stream("a").raw() != Streams(11, 1).stream("a").raw()
    assert Streams(1, 2).stream("3/a").raw() != Streams(1, 2).stream("a").raw()


def test_a_seed_may_be_large() -> None:
    assert Streams(10**30).stream("a").raw() >= 0


@pytest.mark.parametrize(("seed", "replication"), [(-1, 0), (0, -1)])
def test_negative_seeds_are_refused(seed: int, replication: int) -> None:
    with pytest.raises(ValueError, match="at least 0"):
        Streams(seed, replication)


class _Fixed(Stream):
    """A stream of one raw value."""

    def __init__(self, value: int) -> None:
        super().__init__(0)
        self._value = value

    def raw(self) -> int:
        return self._value


def test_fractions_exclude_both_ends() -> None:
    assert _Fixed(0).uniform() == 2.0**-53
    assert _Fixed(2**64 - 1).uniform() == 1.0 - 2.0**-53


def test_fractions_are_spread_evenly() -> None:
    stream = Stream(1)
    tenths = [0] * 10
    for _ in range(10_000):
        tenths[int(stream.uniform() * 10)] += 1
    # Chi-square with 9 degrees of freedom exceeds 27.9 once in a thousand; the key is fixed.
    assert sum((count - 1000) ** 2 / 1000 for count in tenths) < 27.9
