"""The publisher's own connection to itself."""

import socket

import pytest

from simulator.delivery.warmth import Warmth


def test_what_is_written_comes_back_and_nothing_gathers() -> None:
    warmth = Warmth()
    assert [warmth.walk() for _ in range(500)] == [True] * 500
    warmth.close()
    warmth.close()
    assert not warmth.walk()


def test_without_a_connection_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise OSError("no descriptor is left")

    monkeypatch.setattr(socket, "create_server", refuse)
    assert not Warmth().walk()


def test_a_half_made_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []
    connect = socket.create_connection

    def remember(*arguments: object) -> socket.socket:
        made.append(connect(*arguments))  # type: ignore[arg-type]  # as given
        return made[-1]

    def refuse(*_: object) -> None:
        raise OSError("no descriptor is left")

    monkeypatch.setattr(socket, "create_connection", remember)
    monkeypatch.setattr(socket.socket, "accept", refuse)
    assert not Warmth().walk()
    assert [each.fileno() for each in made] == [-1]


def test_a_broken_end_is_no_error() -> None:
    warmth = Warmth()
    for end in warmth._ends:
        end.close()
    assert not warmth.walk()
