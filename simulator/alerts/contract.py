"""What clients and the run say to each other beside the alerts: status, receipt, clock.

Rule of the module: closed, frozen models of the payloads promised in DESIGN section 4; bytes in,
models or one plain reason out. They come from strangers: sizes are bounded before anything is
parsed, types are not coerced, unknown keys are refused (a misspelt ``recieved_ns`` would otherwise
lose a stamp in silence). Nanoseconds are decimal strings on the wire, because 64-bit integers do
not survive JavaScript or jq.
"""

from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import ErrorDetails

MAX_BYTES: Final = 8192
"""Largest status, receipt or clock payload that is read; the same bound as an alert's."""

_INT64_MAX: Final = 2**63 - 1
_LONGEST_NUMBER: Final = len(str(_INT64_MAX))


class RefusedPayloadError(ValueError):
    """A payload is not what the contract promises; the text is one sentence for its author."""


def _nanoseconds(value: object, info: ValidationInfo) -> object:
    if info.mode == "python" and type(value) is int:
        return value
    if not (isinstance(value, str) and value.isascii() and value.isdigit()):
        raise ValueError('nanoseconds are a string of digits, for example "1763818888123456789"')
    if len(value) > _LONGEST_NUMBER:
        raise ValueError("nanoseconds must fit a signed 64-bit integer")
    return int(value)


Nanoseconds = Annotated[
    int,
    BeforeValidator(_nanoseconds),
    Field(ge=0, le=_INT64_MAX),
    PlainSerializer(str, return_type=str),
]

ClockDomain = Annotated[str, Field(min_length=1, max_length=128)]


class _Payload(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def encode(self) -> bytes:
        """The payload as it goes on the wire: JSON with every key."""
        return self.model_dump_json().encode()


class SubscribedFilter(_Payload):
    """One subscription of a client."""

    filter: str = Field(min_length=1, max_length=256, description="MQTT topic filter.")
    qos: Literal[0, 1, 2] = Field(description="Requested QoS.")


class StatusPayload(_Payload):
    """Retained on ``status/{client}``, with a last will that says offline.

    A client says online after its SUBACK: from then on alerts are owed to it.
    """

    state: Literal["online", "offline"] = Field(description="Whether the client is there.")
    filters: tuple[SubscribedFilter, ...] = Field(
        (), strict=False, max_length=64, description="What it subscribed; empty when offline."
    )
    session: Literal["clean", "persistent"] = Field(
        "clean", description="Whether the broker keeps messages for it while it is away."
    )
    clock: ClockDomain | None = Field(
        None, description="Clock domain of its stamps; null if it has no clock to compare."
    )


class ReceiptPayload(_Payload):
    """On ``receipts/{client}``, once per alert message received on an alert topic.

    Copies that arrive on a state topic are reported only if they carry the retain flag.
    """

    id: str = Field(min_length=1, max_length=256, description="CloudEvents id of the alert.")
    received_ns: Nanoseconds | None = Field(
        None, description="When it reached the client, on the client's monotonic clock."
    )
    handled_ns: Nanoseconds | None = Field(
        None, description="When the client had dealt with it, same clock, not before received_ns."
    )
    clock: ClockDomain | None = Field(None, description="Clock domain of the two stamps.")
    retain: bool = Field(
        default=False, description="Retain flag of the message: the kept copy of a state."
    )
    dup: bool = Field(default=False, description="DUP flag of the message.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.handled_ns is not None:
            if self.received_ns is None:
                raise ValueError("handled_ns needs received_ns")
            if self.handled_ns < self.received_ns:
                raise ValueError("handled_ns lies before received_ns")
        return self


class ClockRequest(_Payload):
    """On ``clock/{client}/request``: what time is it over there?"""

    n: int = Field(ge=0, lt=2**53, description="Number of the request, echoed.")
    t1_ns: Nanoseconds = Field(description="The client's clock immediately before sending this.")
    t4_ns: Nanoseconds | None = Field(
        None,
        description="Optional: the client's clock when the response to its previous request "
        "arrived. It tells the run the way back, which the run cannot see by itself.",
    )


class ClockResponse(_Payload):
    """On ``clock/{client}/response``: the run's answer."""

    n: int = Field(ge=0, lt=2**53, description="Number of the request.")
    t1_ns: Nanoseconds = Field(description="As in the request.")
    t2_ns: Nanoseconds = Field(description="The run's clock when the request arrived.")
    t3_ns: Nanoseconds = Field(description="The run's clock immediately before answering.")


P = TypeVar("P", StatusPayload, ReceiptPayload, ClockRequest, ClockResponse)


def parse_payload(model: type[P], payload: bytes) -> P:
    """Read a payload from a stranger.

    Args:
        model: what it claims to be.
        payload: the bytes of the MQTT message.

    Raises:
        RefusedPayloadError: if it is too large, not JSON, or not of that shape.
    """
    if len(payload) > MAX_BYTES:
        raise RefusedPayloadError(f"{len(payload)} bytes; at most {MAX_BYTES} are read")
    try:
        return model.model_validate_json(payload)
    except ValidationError as error:
        raise RefusedPayloadError(_reason(error.errors(include_url=False)[0])) from None


def _reason(first: ErrorDetails) -> str:
    place = ".".join(str(part) for part in first["loc"])
    text = str(first["msg"]).removeprefix("Value error, ")
    return f"{place}: {text}" if place else text
