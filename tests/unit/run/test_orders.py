"""Every setting reaches the order of whoever has to obey it."""

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest

from simulator.delivery.brokers.amqtt import AmqttBroker
from simulator.delivery.brokers.base import Broker
from simulator.delivery.brokers.embedded import EmbeddedBroker
from simulator.delivery.brokers.external import ExternalBroker
from simulator.delivery.brokers.mosquitto import ManagedMosquitto
from simulator.errors import ConfigurationError
from simulator.measure.plan import Session, SubscriberKind
from simulator.model import simulate
from simulator.run.orders import Orders
from simulator.run.request import RunRequest
from simulator.scenario import load_scenario
from simulator.settings import load_settings
from simulator.units import NS_PER_S

RUN = "20261122t142400-k3f9"
DOMAIN = "3f1c7a52/4026531834"
START_NS = 5_000 * NS_PER_S
URL = "mqtt://user:secret@127.0.0.1:1883"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith("ALERTSIM_")]:
        monkeypatch.delenv(name)


def _orders(scenario: str = "drill-minimal", url: str = URL, **options: Any) -> Orders:
    """Orders for a broker that nobody has started: they only name it."""
    settings = load_settings({"subscribers": 4, **options})
    loaded = load_scenario(scenario)
    request = RunRequest(scenario=loaded, settings=settings, run=RUN)
    return Orders(request, simulate(loaded, settings.seed), DOMAIN, ExternalBroker(url))


def _context(**options: Any) -> Mapping[str, Any]:
    context = _orders(**options).context(START_NS, 7 * NS_PER_S)
    return {field.name: getattr(context, field.name) for field in fields(context)}


@pytest.mark.parametrize(
    ("option", "value", "field", "by_default", "expected"),
    [
        ("root", "exercise/team-2", "root", "alertsim", "exercise/team-2"),
        ("payload_format", "cap-xml", "payload_format", "json", "cap-xml"),
        ("cap_clock", "scenario", "cap_clock", "wall", "scenario"),
        ("status", "Test", "status", "Exercise", "Test"),
        ("expires_after", "90s", "expires_after_ns", 3600 * NS_PER_S, 90 * NS_PER_S),
        ("speed", "600", "speed", 1.0, 600.0),
        ("seed", 11, "seed", 1, 11),
    ],
)
def test_setting_reaches_what_every_message_shares(
    option: str, value: Any, field: str, by_default: object, expected: object
) -> None:
    assert _context()[field] == by_default
    changed = _context(**{option: value})
    assert changed[field] == expected
    moved = {name for name, each in _context().items() if each != changed[name]}
    assert moved == {field}


def test_scenario_status_stands_unless_the_setting_says_otherwise() -> None:
    loaded = load_scenario("drill-minimal").model_copy(update={"status": "Test"})
    timeline = simulate(loaded, 1)

    def status(**options: object) -> str:
        request = RunRequest(scenario=loaded, settings=load_settings(options), run=RUN)
        return Orders(request, timeline, DOMAIN, ExternalBroker(URL)).context(0, 0).status

    assert status() == "Test"
    assert status(status="Exercise") == "Exercise"


def test_context_names_run_scenario_clock_and_start() -> None:
    context = _context()
    assert (context["run"], context["scenario"]) == (RUN, "drill-minimal")
    assert context["clock_domain"] == DOMAIN
    assert (context["start_wall_ns"], context["start_unix_ns"]) == (START_NS, 7 * NS_PER_S)
    # One minute after the scenario's epoch, and no earlier than the only alerts there are.
    assert context["start_scenario_ns"] >= 60 * NS_PER_S


@pytest.mark.parametrize(
    ("option", "value", "field", "by_default", "expected"),
    [
        ("ramp", 7, "ramp_per_s", 2000, 7),
        ("kernel_stamps", False, "kernel_stamps", True, False),
        ("keep_alive", "5s", "keep_alive_s", 60, 5),
        ("seed", 11, "seed", 1, 11),
    ],
)
def test_setting_reaches_the_swarm(
    option: str, value: Any, field: str, by_default: object, expected: object
) -> None:
    assert getattr(_orders().swarm()[0], field) == by_default
    assert getattr(_orders(**{option: value}).swarm()[0], field) == expected


@pytest.mark.parametrize(
    ("option", "value", "field", "by_default", "expected"),
    [
        ("state", False, "state", True, False),
        ("keep_alive", "5s", "keep_alive_s", 60, 5),
    ],
)
def test_setting_reaches_the_publisher(
    option: str, value: Any, field: str, by_default: object, expected: object
) -> None:
    assert getattr(_orders().publisher(), field) == by_default
    assert getattr(_orders(**{option: value}).publisher(), field) == expected


FIVE = f"{URL}?protocol=5"


@pytest.mark.parametrize(
    ("wanted", "validity", "by_url_s", "started_s"),
    [
        ("auto", "1h", 0, 3600),  # nobody knows what a broker by URL is
        ("always", "1h", 3600, 3600),
        ("always", "1500ms", 2, 2),  # whole seconds, and no shorter than the message says
        ("always", "0s", 1, 1),
        ("never", "1h", 0, 0),
    ],
)
def test_messages_expire_where_they_may(
    wanted: str, validity: str, by_url_s: int, started_s: int
) -> None:
    settings = load_settings({"message_expiry": wanted, "expires_after": validity})
    request = RunRequest(scenario=load_scenario("drill-minimal"), settings=settings, run=RUN)
    timeline = simulate(request.scenario, 1)
    by_url = Orders(request, timeline, DOMAIN, ExternalBroker(FIVE))
    started = Orders(request, timeline, DOMAIN, ManagedMosquitto())
    assert (by_url.message_expiry_s, started.message_expiry_s) == (by_url_s, started_s)
    assert by_url.publisher().message_expiry_s == by_url_s


@pytest.mark.parametrize(
    ("broker", "named"),
    [
        (EmbeddedBroker(announce=False), "embedded"),
        (AmqttBroker(announce=False), "amqtt"),
        (ExternalBroker(f"{URL}?protocol=3.1.1"), r"MQTT 3\.1\.1 only"),
    ],
)
def test_messages_that_cannot_expire_are_refused_only_if_they_must(
    broker: Broker, named: str
) -> None:
    loaded = load_scenario("drill-minimal")
    timeline = simulate(loaded, 1)

    def orders(wanted: str) -> Orders:
        settings = load_settings({"message_expiry": wanted})
        return Orders(RunRequest(scenario=loaded, settings=settings, run=RUN), timeline, "", broker)

    assert orders("auto").message_expiry_s == 0
    with pytest.raises(ConfigurationError, match=named) as caught:
        orders("always")
    assert caught.value.field == "ALERTSIM_MESSAGE_EXPIRY"


def test_a_ramp_that_outlasts_the_wait_is_refused_before_anything_is_started() -> None:
    people = len(_orders(subscribers=200).subscribers)
    enough = (people - 1 + 1) // 2  # the first opens at once, the last within 2 s
    with pytest.raises(ConfigurationError, match=f"{people} connections") as caught:
        _orders(subscribers=200, ramp=enough - 1, wait_timeout="2s")
    assert (caught.value.field, caught.value.value) == ("--ramp", str(enough - 1))
    assert f"--ramp {enough} or more" in caught.value.remedy
    assert "--wait-timeout than 2s" in caught.value.remedy
    _orders(subscribers=200, ramp=enough, wait_timeout="2s")


def test_a_cluster_without_an_address_is_refused_before_anything_is_started() -> None:
    with pytest.raises(ConfigurationError, match="Dask scheduler") as caught:
        _orders(cluster="nonsense")
    assert (caught.value.field, caught.value.value) == ("--cluster", "nonsense")
    _orders(cluster="tcp://10.0.0.5:8786")


def test_who_joins_during_the_run_is_not_in_the_ramp() -> None:
    orders = _orders("subscriber-mix", ramp=1, wait_timeout="1h")
    later = [each for each in orders.subscribers if each.conduct and each.conduct.joins_ns]
    assert later
    here = len(orders.subscribers) - len(later)
    _orders("subscriber-mix", ramp=1, wait_timeout=f"{here - 1}s")
    with pytest.raises(ConfigurationError, match=f"open {here} connections"):
        _orders("subscriber-mix", ramp=1, wait_timeout=f"{here - 2}s")


def test_keep_alive_below_a_second_is_one_not_none() -> None:
    # MQTT counts whole seconds, and 0 would turn the keep alive off.
    assert _orders(keep_alive="300ms").swarm()[0].keep_alive_s == 1


def test_publisher_guards_the_prefectures_of_the_timeline_by_name() -> None:
    order = _orders().publisher()
    assert set(order.prefectures) == {"miyagi", "niigata"}
    assert order.client == f"{RUN}-publisher"
    assert order.context.run == RUN


def test_orders_name_the_broker_with_its_credentials() -> None:
    swarm, publisher = _orders().swarm()[0], _orders().publisher()
    for endpoint in (*swarm.endpoints.values(), publisher.endpoint):
        assert (endpoint.host, endpoint.port) == ("127.0.0.1", 1883)
        assert (endpoint.username, endpoint.password) == ("user", "secret")


@pytest.mark.parametrize(
    ("protocol", "versions"), [("3.1.1", {"3.1.1"}), ("5", {"5"}), ("mixed", {"3.1.1", "5"})]
)
def test_subscribers_speak_the_version_asked_for(protocol: str, versions: set[str]) -> None:
    orders = _orders(protocol=protocol)
    assert {each.protocol for each in orders.subscribers} == versions
    endpoints = orders.swarm()[0].endpoints
    assert {version: each.protocol for version, each in endpoints.items()} == {
        version: version for version in versions
    }
    assert set(orders.protocols) == versions | {orders.publisher().endpoint.protocol}


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_broker_of_one_version_serves_a_swarm_of_that_version(protocol: str) -> None:
    for asked in (protocol, "mixed"):
        orders = _orders(url=f"{URL}?protocol={protocol}", protocol=asked)
        assert orders.protocols == (protocol,)
        assert {each.protocol for each in orders.subscribers} == {protocol}
        assert orders.swarm()[0].endpoints.keys() == {protocol}
        assert orders.publisher().endpoint.protocol == protocol


def test_version_that_the_broker_was_not_given_for_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="protocol=") as refused:
        _orders(url=f"{URL}?protocol=5", protocol="3.1.1")
    assert (refused.value.field, refused.value.value) == ("--protocol", "3.1.1")


def test_version_that_a_broker_of_ours_does_not_speak_is_refused_without_an_address() -> None:
    loaded = load_scenario("drill-minimal")
    settings = load_settings({"subscribers": 4, "protocol": "5", "broker": "amqtt"})
    request = RunRequest(scenario=loaded, settings=settings, run=RUN)
    with pytest.raises(ConfigurationError, match=r"amqtt speaks MQTT 3\.1\.1 only") as caught:
        Orders(request, simulate(loaded, settings.seed), DOMAIN, AmqttBroker())
    assert caught.value.remedy == "use --protocol 3.1.1, or --broker mosquitto"


def test_root_stands_before_every_topic_and_filter() -> None:
    def topics(root: str) -> set[str]:
        orders = _orders(root=root)
        swarm = orders.swarm()[0]
        filters = {pattern for each in orders.subscribers for pattern, _ in each.filters}
        scheduled = {alert.topic for alert in orders.schedule(0)}
        states = {alert.state_topic for alert in orders.schedule(0)}
        assert set(swarm.topics) == scheduled
        assert set(swarm.state_topics) == states
        assert swarm.probe_topic == orders.probe_topic
        return {*filters, *scheduled, *states, orders.probe_topic}

    ours, theirs = topics("alertsim"), topics("exercise/team-2")
    assert all(topic.startswith("alertsim/v1/") for topic in ours)
    assert {topic.replace("alertsim/", "exercise/team-2/", 1) for topic in ours} == theirs


@pytest.mark.parametrize("session", list(Session))
def test_session_reaches_every_subscriber(session: Session) -> None:
    assert {each.session for each in _orders(session=session.value).subscribers} == {session}


@pytest.mark.parametrize(
    ("options", "published", "subscribed"),
    [
        ({}, 1, 1),
        ({"qos": 2}, 2, 2),
        ({"qos": 0}, 0, 0),
        ({"qos": 1, "subscribe_qos": 0}, 1, 0),
        ({"qos": 0, "subscribe_qos": 2}, 0, 2),
    ],
)
def test_publisher_and_subscribers_have_their_own_qos(
    options: dict[str, Any], published: int, subscribed: int
) -> None:
    orders = _orders(**options)
    assert {alert.qos for alert in orders.schedule(0)} == {published}
    assert {qos for each in orders.subscribers for _, qos in each.filters} == {subscribed}


@pytest.mark.parametrize("wanted", [0, 4, 9])
def test_subscribers_are_as_many_as_asked_for(wanted: int) -> None:
    placed = _orders(subscribers=wanted).subscribers
    assert sum(each.kind is SubscriberKind.SWARM for each in placed) == wanted
    assert [each.number for each in placed] == list(range(len(placed)))


def test_repeat_and_gap_lengthen_the_schedule() -> None:
    once = _orders().schedule(START_NS)
    thrice = _orders(repeat=3, gap="7s").schedule(START_NS)
    assert once[0].intended_ns == START_NS
    assert len(thrice) == 3 * len(once)
    duration_ns = once[-1].intended_ns - START_NS
    assert thrice[-1].intended_ns - START_NS == 3 * duration_ns + 2 * 7 * NS_PER_S


def test_speed_shortens_the_schedule() -> None:
    def duration_ns(speed: str) -> int:
        planned = _orders("tohoku-2022-11-03", speed=speed).schedule(START_NS)
        return planned[-1].intended_ns - planned[0].intended_ns

    assert duration_ns("1") == 60 * duration_ns("60") > 0


def test_identifiers_lead_back_to_the_schedule() -> None:
    orders = _orders(repeat=2)
    identifiers = orders.swarm()[0].identifiers
    assert identifiers == {alert.identifier: alert.number for alert in orders.schedule(0)}
    assert all(name.startswith(f"{RUN}-") for name in identifiers)
