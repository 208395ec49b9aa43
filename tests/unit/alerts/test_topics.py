import pytest

from simulator.alerts import topics
from simulator.alerts.topics import Topic, TopicKind, parse_topic
from simulator.errors import ConfigurationError
from simulator.measure.plan import filter_matches


def test_topics_are_the_promised_names() -> None:
    # DESIGN section 4, word for word.
    assert topics.alert_topic("alertsim", "miyagi", "launch") == "alertsim/v1/alerts/miyagi/launch"
    assert topics.state_topic("alertsim", "miyagi") == "alertsim/v1/state/miyagi"
    assert topics.status_topic("alertsim", "Siren 1") == "alertsim/v1/status/Siren 1"
    assert topics.receipts_topic("alertsim", "siren_1") == "alertsim/v1/receipts/siren_1"
    assert topics.clock_request_topic("alertsim", "s") == "alertsim/v1/clock/s/request"
    assert topics.clock_response_topic("alertsim", "s") == "alertsim/v1/clock/s/response"
    assert topics.probe_topic("a/b-2", "20261122t1-k3") == "a/b-2/v1/probe/20261122t1-k3"


@pytest.mark.parametrize(
    "root",
    [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "a/+",
        "#",
        "a/#",
        "$SYS",
        "$share/g",
        "Alert",
        "a b",
        "a_b",
        "-a",
        "a-",
        "警報",
        "a\n",
        "a" * 129,
        "a/" * 70 + "a",
    ],
)
def test_root_that_is_refused(root: str) -> None:
    with pytest.raises(ConfigurationError, match="not a topic root") as caught:
        topics.alerts_filter(root)
    assert caught.value.field == "root"
    assert caught.value.remedy


@pytest.mark.parametrize("root", ["alertsim", "a", "exercise/team-2", "0/1", "a" * 128])
def test_root_that_is_accepted(root: str) -> None:
    assert topics.check_root(root) == root
    assert topics.status_filter(root) == f"{root}/v1/status/+"


@pytest.mark.parametrize(
    "client", ["", "a/b", "+", "a#", "$a", "a\x00", "a\x1f", "\x85", "\ud800", "a" * 129]
)
def test_client_id_that_cannot_stand_in_a_topic(client: str) -> None:
    assert not topics.is_client(client)
    with pytest.raises(ValueError, match="cannot stand in a topic"):
        topics.status_topic("alertsim", client)


@pytest.mark.parametrize(
    "slug", ["", "Miyagi", "+", "#", "a/b", "-", "宮城", "a" * 129, "miyagi\n"]
)
def test_prefecture_and_event_that_are_refused(slug: str) -> None:
    with pytest.raises(ValueError, match="is not a prefecture"):
        topics.alert_topic("alertsim", slug, "launch")
    with pytest.raises(ValueError, match="is not a event"):
        topics.alert_topic("alertsim", "miyagi", slug)


def test_filters_match_what_they_name_and_nothing_else() -> None:
    root = "alertsim"
    launch = topics.alert_topic(root, "miyagi", "launch")
    passage = topics.alert_topic(root, "miyagi", "passage")
    niigata = topics.alert_topic(root, "niigata", "launch")
    state = topics.state_topic(root, "miyagi")
    every = [launch, passage, niigata, state]

    def matched(pattern: str) -> list[str]:
        return [topic for topic in every if filter_matches(pattern, topic)]

    assert matched(topics.alerts_filter(root)) == [launch, passage, niigata]
    assert matched(topics.alerts_filter(root, "miyagi")) == [launch, passage]
    assert matched(topics.alerts_filter(root, event="launch")) == [launch, niigata]
    assert matched(topics.alerts_filter(root, "miyagi", "launch")) == [launch]
    assert matched(topics.state_filter(root)) == [state]
    assert matched(topics.state_filter(root, "niigata")) == []
    assert filter_matches(topics.status_filter(root), topics.status_topic(root, "c"))
    assert filter_matches(topics.receipts_filter(root), topics.receipts_topic(root, "c"))
    request = topics.clock_request_topic(root, "c")
    assert filter_matches(topics.clock_request_filter(root), request)
    response = topics.clock_response_topic(root, "c")
    assert not filter_matches(topics.clock_request_filter(root), response)


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("alerts/miyagi/launch", Topic(kind=TopicKind.ALERT, name="miyagi", event="launch")),
        ("state/miyagi", Topic(kind=TopicKind.STATE, name="miyagi")),
        ("status/Siren 1", Topic(kind=TopicKind.STATUS, name="Siren 1")),
        ("receipts/s", Topic(kind=TopicKind.RECEIPT, name="s")),
        ("clock/s/request", Topic(kind=TopicKind.CLOCK_REQUEST, name="s")),
        ("clock/s/response", Topic(kind=TopicKind.CLOCK_RESPONSE, name="s")),
        ("probe/run-1", Topic(kind=TopicKind.PROBE, name="run-1")),
        ("alerts/miyagi", None),
        ("alerts/Miyagi/launch", None),
        ("alerts/miyagi/launch/x", None),
        ("state/", None),
        ("status/+", None),
        ("clock/s/other", None),
        ("clock/#/request", None),
        ("probe/Run", None),
        ("", None),
    ],
)
def test_parse_takes_apart_what_the_builders_made(topic: str, expected: Topic | None) -> None:
    assert parse_topic("exercise/team-2", f"exercise/team-2/v1/{topic}") == expected


@pytest.mark.parametrize("topic", ["other/v1/state/miyagi", "alertsim/v2/state/miyagi", "alertsim"])
def test_foreign_root_or_version_is_foreign(topic: str) -> None:
    assert parse_topic("alertsim", topic) is None
