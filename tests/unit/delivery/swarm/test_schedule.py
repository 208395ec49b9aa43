"""An agenda in order."""

from typing import Any, cast

from simulator.delivery.swarm.schedule import Agenda
from simulator.delivery.swarm.subscriber import Subscriber


def subscriber(number: int) -> Subscriber:
    nothing = cast("Any", None)
    return Subscriber(number, nothing, nothing)


def test_everybody_comes_up_when_due_in_order() -> None:
    agenda = Agenda()
    people = [subscriber(number) for number in range(4)]
    for each, due in zip(people, (30, 10, 20, 40), strict=True):
        agenda.put(each, due)
    assert agenda.next_ns() == 10
    assert agenda.due(9) == []
    assert [each.number for each in agenda.due(30)] == [1, 2, 0]
    assert agenda.next_ns() == 40
    assert [each.number for each in agenda.due(100)] == [3]
    assert agenda.next_ns() is None


def test_a_later_entry_replaces_an_earlier_one() -> None:
    agenda, someone = Agenda(), subscriber(1)
    agenda.put(someone, 10)
    agenda.put(someone, 50)
    assert agenda.due(10) == []
    agenda.put(someone, 20)
    assert agenda.due(20) == [someone]
    assert agenda.due(50) == []


def test_the_same_time_twice_is_one_entry() -> None:
    agenda, someone = Agenda(), subscriber(1)
    agenda.put(someone, 10)
    agenda.put(someone, 10)
    assert agenda.due(10) == [someone]
    agenda.put(someone, 10)
    assert agenda.due(10) == [someone]
