"""From a planned alert to the message on the wire: pure, with the time as an argument.

(Contract; the alerts room fills it in.)
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseContext:
    """What every message of a run shares.

    Attributes:
        run: run id, for example ``20261122T142400-k3f9``; lowercase letters, digits and dashes.
        scenario: scenario id.
        title: scenario title.
        seed: seed of the replication.
        epoch: ISO 8601 of scenario time zero, with offset.
        root: topic root, ``alertsim`` by default.
        payload_format: ``json`` (CloudEvents with CAP in data) or ``cap-xml``.
        cap_clock: ``wall`` or ``scenario``: which clock fills sent, effective and expires.
        status: ``Exercise`` or ``Test``.
        expires_after_ns: wall validity of a message.
        clock_domain: domain of intended_ns and composed_ns.
        start_scenario_ns: scenario time of the first alert (t_first).
        start_wall_ns: monotonic ns at which the first alert is intended.
        start_unix_ns: Unix ns at the same instant.
        speed: scenario seconds per wall second.
    """

    run: str
    scenario: str
    title: str
    seed: int
    epoch: str
    root: str = "alertsim"
    payload_format: str = "json"
    cap_clock: str = "wall"
    status: str = "Exercise"
    expires_after_ns: int = 3_600_000_000_000
    clock_domain: str = ""
    start_scenario_ns: int = 0
    start_wall_ns: int = 0
    start_unix_ns: int = 0
    speed: float = 1.0
