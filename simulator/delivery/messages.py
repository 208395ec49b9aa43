"""Messages between the run and its child processes, over a ``multiprocessing`` pipe.

Rule of the module: frozen records that pickle; receipts travel as bytes. A child that loses the
pipe ends itself.
"""

from dataclasses import dataclass, field

from simulator.alerts.compose import ExerciseContext
from simulator.delivery.room import Limits
from simulator.measure.plan import PlannedSubscriber, ScheduledAlert
from simulator.measure.receipts import ConnectionEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """What our side of TLS needs.

    Attributes:
        cafile: certificates of the CAs that are trusted, PEM; None: those of the system.
        cert: our own certificate, PEM; None: we show none.
        key: its private key, PEM; None: it stands in the file of the certificate.
        key_password: the key's password, or None; never logged.
        server_name: the name that the broker's certificate must be for; None: the host.
    """

    cafile: str | None = None
    cert: str | None = None
    key: str | None = None
    key_password: str | None = field(default=None, repr=False)
    server_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerEndpoint:
    """Where and how to connect.

    Attributes:
        host: name or address.
        port: TCP port.
        protocol: ``3.1.1`` or ``5``.
        username: MQTT user name, or None.
        password: MQTT password, or None; never logged, never written to a run directory.
        tls: None: no TLS.
        path: path of the WebSocket; empty: no WebSocket.
    """

    host: str
    port: int
    protocol: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsFiles | None = None
    path: str = ""

    @property
    def scheme(self) -> str:
        """``mqtt``, ``mqtts``, ``ws`` or ``wss``."""
        if self.path:
            return "wss" if self.tls else "ws"
        return "mqtts" if self.tls else "mqtt"


# --- run -> child ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SwarmOrder:
    """The first message to a swarm worker: whom to connect where, and which alerts exist.

    Attributes:
        worker: index of the worker.
        endpoints: by protocol (``3.1.1``, ``5``).
        subscribers: this worker's share.
        identifiers: CloudEvents id -> ScheduledAlert.number.
        topics: alert topic of each ScheduledAlert by number; a receipt on another topic is foreign.
        state_topics: retained-state topic of each ScheduledAlert by number.
        probe_topic: everyone also subscribes to this one when ``probe`` is set, else empty.
        keep_alive_s: MQTT keep alive, wall seconds.
        ramp_per_s: connections opened per second.
        kernel_stamps: ask the kernel for receive stamps (False: stamp after recv).
        seed: for the jitter of the reconnect backoff.
        sources: local IPv4 addresses to connect from in turn; empty: the system chooses.
        asks_clock: the worker may be on another host: it asks the run for its clock.
    """

    worker: int
    endpoints: dict[str, BrokerEndpoint]
    subscribers: tuple[PlannedSubscriber, ...]
    identifiers: dict[str, int]
    topics: tuple[str, ...]
    state_topics: tuple[str, ...]
    probe_topic: str = ""
    keep_alive_s: int = 60
    ramp_per_s: int = 2000
    kernel_stamps: bool = True
    seed: int = 0
    sources: tuple[str, ...] = ()
    asks_clock: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishOrder:
    """The first message to the publisher.

    Attributes:
        endpoint: where to publish.
        context: what every message of the run shares.
        prefectures: states to guard: one guardian connection each.
        client: client id of the publishing connection; guardians add ``-state-{prefecture}``.
        keep_alive_s: MQTT keep alive, wall seconds.
        state: whether retained state is published at all.
        message_expiry_s: MQTT 5 message expiry of alerts and states, wall seconds; 0: none.
    """

    endpoint: BrokerEndpoint
    context: ExerciseContext
    prefectures: tuple[str, ...]
    client: str
    keep_alive_s: int = 60
    state: bool = True
    message_expiry_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """Publish this schedule; the intended times in it are final.

    Attributes:
        schedule: what to send and when.
        context: replaces the order's context, now with the final start times (start_wall_ns,
            start_unix_ns), which are not known before every subscription is acknowledged.
    """

    schedule: tuple[ScheduledAlert, ...]
    context: ExerciseContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Planned absences and joins count from here (workers).

    Attributes:
        start_ns: the first intended send, monotonic ns of the worker's host.
    """

    start_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Publish one probe message with this payload (publisher)."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockTell:
    """The answer to a ClockAsk: the run's monotonic clock as it was sent, ns."""

    ours_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End in order: clear states, disconnect, report health, exit.

    Attributes:
        grace_ns: how long the orderly end may take, wall ns.
    """

    grace_ns: int = 1_000_000_000


# --- child -> run ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The child is connected (publisher, guardians) or all its subscriptions are acknowledged."""

    connections: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the connection ramp is."""

    connected: int
    subscribed: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSeen:
    """A probe reached this worker's probe connection."""

    payload: bytes
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """A batch of receipts, the bytes of an ``array('q')`` (see simulator.measure.receipts)."""

    rows: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """Connection changes, in order, and in order with the receipts around them."""

    events: tuple[ConnectionEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that the user should know and the run survives."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One alert left: composed, then stamped immediately before the socket write.

    Attributes:
        alert: ScheduledAlert.number.
        composed_ns: when its payload was built, monotonic ns.
        sent_ns: immediately before the first socket write of its bytes, monotonic ns.
        size_bytes: payload size.
    """

    alert: int
    composed_ns: int
    sent_ns: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The broker acknowledged one alert to the publisher. Not a delivery."""

    alert: int
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The whole schedule has been written and, above QoS 0, acknowledged or given up."""

    unacknowledged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the child itself is doing, at least once a second.

    Attributes:
        name: ``publisher`` or ``worker-N``.
        cpu_ns: CPU time used so far, user plus system.
        lag_max_ns: longest time one turn of its loop took since the last Health.
        reads: socket reads since the start.
        messages: PUBLISH packets read since the start.
        rss_bytes: resident memory.
        stamps_missing: reads for which the kernel gave no stamp.
        clock_offset_ns: wall minus monotonic, as now used for kernel stamps.
        clock_error_ns: bound on that offset's error.
        clock_steps: steps of the wall clock seen.
        clock_slewed_ns: smaller changes of it, added up.
        clock_estimates: how often that offset was estimated.
        batch_max: most PUBLISH packets that one read brought, since the start.
    """

    name: str
    cpu_ns: int
    lag_max_ns: int
    reads: int
    messages: int
    rss_bytes: int
    stamps_missing: int = 0
    clock_offset_ns: int = 0
    clock_error_ns: int = 0
    clock_steps: int = 0
    clock_slewed_ns: int = 0
    clock_estimates: int = 0
    batch_max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first message of a worker on another host.

    Attributes:
        worker: index of the shard.
        host: its name there, for people.
        domain: its clock domain.
        limits: what its system allows it.
    """

    worker: int
    host: str
    domain: str
    limits: Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockAsk:
    """A worker asks for the run's clock, and says when the last answer reached it.

    Attributes:
        theirs_ns: the worker's clock as this was sent, ns.
        told_ns: ClockTell.ours_ns of the last answer, or None before the first.
        reached_ns: the worker's clock when that answer had been read.
    """

    theirs_ns: int
    told_ns: int | None = None
    reached_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The child gives up.

    Attributes:
        reason: ``unreachable``, ``refused``, ``lost`` or ``internal``.
        detail: one sentence for the user; a traceback for ``internal``.
    """

    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The last message of a child that ends in order.

    Attributes:
        name: ``publisher`` or ``worker-N``.
        sessions_left: persistent sessions of its subscribers that the broker may still keep, and
            queue for.
    """

    name: str
    sessions_left: int = 0
