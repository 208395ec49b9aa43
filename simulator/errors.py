"""Errors, as a tree by who must act.

    AlertsimError
    ├── InputError                the user changes what was given            exit 104
    │   ├── ScenarioError         … a scenario file or a shipped table
    │   ├── ConfigurationError    … a setting, an option, an environment variable
    │   ├── ThresholdError        … a pass/fail expression
    │   └── OutputError           … the place the run is to be written to
    ├── BrokerError               the broker's operator acts                 exit 106
    │   ├── BrokerUnreachableError
    │   └── BrokerLostError
    ├── AbortedError              nobody: somebody asked for the end         exit 105
    └── InternalError             we act: a defect of alertsim               exit 107
        └── UnbalancedLedgerError

Rule of the room: an error says what is wrong, where, and what to do about it. Every argument goes
to ``super().__init__`` because SimPy rebuilds exceptions as ``type(v)(*v.args)``.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Process exit codes. Precedence when several apply: 107 > 106 > 105 > 99 > 98 > 0."""

    PASS = 0
    INCONCLUSIVE = 98
    THRESHOLD_FAILED = 99
    BAD_INPUT = 104
    ABORTED = 105
    BROKER = 106
    INTERNAL = 107


class AlertsimError(Exception):
    """The root: everything alertsim raises on purpose."""

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL


class InputError(AlertsimError):
    """Something given by the user is wrong; nothing has been sent or written.

    Args:
        message: what is wrong, in one sentence.
        where: file, or ``file:line``, or the option; empty if it has no place.
        field: dotted path of the field, empty if none.
        value: the offending value as the user wrote it, ``None`` if none.
        remedy: what to write instead, empty if it is obvious.
    """

    exit_code = ExitCode.BAD_INPUT

    def __init__(
        self,
        message: str,
        where: str = "",
        field: str = "",
        value: str | None = None,
        remedy: str = "",
    ) -> None:
        super().__init__(message, where, field, value, remedy)
        self.message = message
        self.where = where
        self.field = field
        self.value = value
        self.remedy = remedy

    def __str__(self) -> str:
        option = f"--{self.field.replace('_', '-')}"  # the place may be the option
        field = "" if self.where == option else self.field
        head = ": ".join(part for part in (self.where, field) if part)
        text = f"{head}: {self.message}" if head else self.message
        if self.value is not None:
            text += f" (got {self.value})"
        if self.remedy:
            text += f"\n  remedy: {self.remedy}"
        return text


class ScenarioError(InputError):
    """A scenario file, or a file it extends, cannot be used."""


class ConfigurationError(InputError):
    """A setting, option or environment variable cannot be used."""


class ThresholdError(InputError):
    """A threshold expression is malformed or names an unknown metric."""


class OutputError(InputError):
    """The output directory cannot be used: read-only, full, or already holding a run."""


class BrokerError(AlertsimError):
    """The MQTT broker refuses, is not there, or went away."""

    exit_code = ExitCode.BROKER


class BrokerUnreachableError(BrokerError):
    """No usable MQTT connection could be made before anything was sent."""


class BrokerLostError(BrokerError):
    """The broker, or one of its listeners, died during the run."""


class AbortedError(AlertsimError):
    """The user or the system asked for the end (Ctrl-C, SIGTERM)."""

    exit_code = ExitCode.ABORTED


class InternalError(AlertsimError):
    """A defect of alertsim itself: please report it with the run directory."""


class UnbalancedLedgerError(InternalError):
    """The two equations of the delivery ledger do not hold."""
