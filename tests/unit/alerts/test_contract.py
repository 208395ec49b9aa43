import json

import pytest

from simulator.alerts.contract import (
    MAX_BYTES,
    ClockRequest,
    ClockResponse,
    ReceiptPayload,
    RefusedPayloadError,
    StatusPayload,
    SubscribedFilter,
    parse_payload,
)

BIG = 2**63 - 1


def test_a_status_as_the_contract_shows_it() -> None:
    status = parse_payload(
        StatusPayload,
        b'{"state":"online","filters":[{"filter":"alertsim/v1/alerts/miyagi/+","qos":1}],'
        b'"session":"persistent","clock":"host/a"}',
    )

    assert status == StatusPayload(
        state="online",
        filters=(SubscribedFilter(filter="alertsim/v1/alerts/miyagi/+", qos=1),),
        session="persistent",
        clock="host/a",
    )


def test_the_shortest_payloads_a_client_may_send() -> None:
    assert parse_payload(StatusPayload, b'{"state":"offline"}').filters == ()
    receipt = parse_payload(ReceiptPayload, b'{"id":"r-miyagi-1"}')
    assert (receipt.received_ns, receipt.handled_ns, receipt.clock) == (None, None, None)
    assert not receipt.retain
    assert not receipt.dup


def test_nanoseconds_are_strings_on_the_wire_and_survive_unchanged() -> None:
    response = ClockResponse(n=1, t1_ns=0, t2_ns=BIG - 1, t3_ns=BIG)

    assert json.loads(response.encode()) == {
        "n": 1,
        "t1_ns": "0",
        "t2_ns": str(BIG - 1),
        "t3_ns": str(BIG),
    }
    assert parse_payload(ClockResponse, response.encode()) == response


def test_every_key_is_written() -> None:
    assert json.loads(ReceiptPayload(id="x").encode()) == {
        "id": "x",
        "received_ns": None,
        "handled_ns": None,
        "clock": None,
        "retain": False,
        "dup": False,
    }


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[" * 4000, "recursion limit"),
        (b"[]", "valid dictionary or object|object"),
        (b"{}", "id: Field required"),
        (b'{"id":"","clock":null}', "id: String should have at least 1"),
        (b'{"id":7}', "id: Input should be a valid string"),
        (b'{"id":"x","recieved_ns":"5"}', "recieved_ns: Extra inputs"),
        (b'{"id":"x","received_ns":5}', "received_ns: nanoseconds are a string of digits"),
        (b'{"id":"x","received_ns":"-5"}', "string of digits"),
        (b'{"id":"x","received_ns":"5.0"}', "string of digits"),
        ('{"id":"x","received_ns":"\uff15"}'.encode(), "string of digits"),
        (b'{"id":"x","received_ns":"' + b"9" * 5000 + b'"}', "signed 64-bit"),
        (f'{{"id":"x","received_ns":"{BIG + 1}"}}'.encode(), "less than or equal"),
        (b'{"id":"x","handled_ns":"5"}', "handled_ns needs received_ns"),
        (b'{"id":"x","received_ns":"6","handled_ns":"5"}', "handled_ns lies before"),
        (b'{"id":"x","dup":1}', "dup: Input should be a valid boolean"),
        (b'{"id":"x"' + b" " * MAX_BYTES + b"}", "bytes; at most 8192"),
    ],
)
def test_a_receipt_that_breaks_the_contract_is_refused_with_its_reason(
    payload: bytes, reason: str
) -> None:
    with pytest.raises(RefusedPayloadError, match=reason):
        parse_payload(ReceiptPayload, payload)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"state":"Online"}',
        b'{"state":"online","filters":[{"filter":"a","qos":3}]}',
        b'{"state":"online","filters":[{"filter":"a"}]}',
        b'{"state":"online","filters":[{"filter":"","qos":1}]}',
        b'{"state":"online","filters":[%s]}' % b",".join([b'{"filter":"a","qos":1}'] * 65),
        b'{"state":"online","session":"durable"}',
        b'{"state":"online","clock":""}',
    ],
)
def test_a_status_that_breaks_the_contract_is_refused(payload: bytes) -> None:
    with pytest.raises(RefusedPayloadError):
        parse_payload(StatusPayload, payload)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"n":1}',
        b'{"n":-1,"t1_ns":"5"}',
        b'{"n":1.5,"t1_ns":"5"}',
        b'{"n":9007199254740992,"t1_ns":"5"}',
    ],
)
def test_a_clock_request_that_breaks_the_contract_is_refused(payload: bytes) -> None:
    with pytest.raises(RefusedPayloadError):
        parse_payload(ClockRequest, payload)


def test_in_python_nanoseconds_are_integers() -> None:
    assert ClockRequest(n=1, t1_ns=5, t4_ns=None).t1_ns == 5
    with pytest.raises(ValueError, match="string of digits"):
        ClockRequest(n=1, t1_ns=5.0)  # type: ignore[arg-type]
