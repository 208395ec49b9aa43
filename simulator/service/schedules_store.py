"""Schedules on disk: ``schedules.json``, which people may edit, and how they went beside it.

Rule of the module: both files are whole at every instant. The file is the truth: it is read again
before each change, so that what somebody wrote by hand is never overwritten, and a file that cannot
be read is left as it is and says so.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from simulator.errors import ConfigurationError
from simulator.report.manifest import write_atomically
from simulator.service.plain_files import read_plain
from simulator.service.schedules_model import MOST, Schedule, ScheduleState, described

SCHEDULES_NAME: Final = "schedules.json"
STATE_NAME: Final = "schedules-state.json"
SCHEMA: Final = "1.0"
_LARGEST_BYTES: Final = 8 * 1024 * 1024
_REMEDY: Final = "mend the file by hand, or move it away; it was left as it is"

Schedules = dict[str, Schedule]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: str
    schedules: tuple[Schedule, ...]

    @field_validator("schema_version")
    @classmethod
    def _known(cls, value: str) -> str:
        if value.partition(".")[0] != SCHEMA.partition(".")[0]:
            raise ValueError(f"unknown schema version, this alertsim reads {SCHEMA[0]}.x")
        return value

    @field_validator("schedules")
    @classmethod
    def _distinct(cls, value: tuple[Schedule, ...]) -> tuple[Schedule, ...]:
        names = [schedule.name for schedule in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two schedules are called {name}")
        if len(value) > MOST:
            raise ValueError(f"at most {MOST} schedules")
        return value


class ScheduleStore:
    """The two files.

    Args:
        folder: the store of the service.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / SCHEDULES_NAME
        self._state_path = folder / STATE_NAME

    def read(self) -> Schedules:
        """All schedules by name, in the order of the file; none if there is no file.

        Raises:
            ConfigurationError: naming the file, the line or field, and the remedy.
        """
        try:
            text = read_plain(self._path, _LARGEST_BYTES).decode()
            found = _File.model_validate(json.loads(text))
        except FileNotFoundError:
            return {}
        except json.JSONDecodeError as error:
            where = f"{self._path}:{error.lineno}"
            raise ConfigurationError(
                f"not JSON: {error.msg}, column {error.colno}", where=where, remedy=_REMEDY
            ) from None
        except ValidationError as error:
            raise described(error, str(self._path)) from None
        except (OSError, ValueError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise self._bad(f"cannot be read: {why}") from error
        return {schedule.name: schedule for schedule in found.schedules}

    def _bad(self, message: str) -> ConfigurationError:
        return ConfigurationError(message, where=str(self._path), remedy=_REMEDY)

    def change(self, change: Callable[[Schedules], None]) -> Schedules:
        """Read, change, write: all of it or nothing.

        Args:
            change: edits the schedules in place; may raise.

        Raises:
            ConfigurationError: if the file was damaged by hand in the meantime.
            OutputError: if it cannot be written, for example on a full disk.
        """
        schedules = self.read()
        change(schedules)
        document = {
            "schema_version": SCHEMA,
            "schedules": [
                schedule.model_dump(mode="json", exclude_none=True)
                for schedule in schedules.values()
            ],
        }
        data = _encoded(document)
        if len(data) > _LARGEST_BYTES:
            raise ConfigurationError(
                f"all schedules together are larger than {_LARGEST_BYTES // 2**20} MiB",
                where=str(self._path),
                remedy="name shipped scenarios instead of giving their text, or remove some",
            )
        write_atomically(self._path, data)
        return schedules

    def read_states(self) -> dict[str, ScheduleState]:
        """How they went, by name; begun anew, and the file kept aside, if it is damaged."""
        try:
            found = json.loads(read_plain(self._state_path, _LARGEST_BYTES).decode())
            return {name: ScheduleState.model_validate(each) for name, each in found.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            aside = self._state_path.with_suffix(".json.damaged")
            self._state_path.replace(aside)
            structlog.get_logger().warning(
                "the record of schedules is damaged and begins anew",
                file=str(self._state_path),
                kept=str(aside),
                reason=str(error).partition("\n")[0],
            )
            return {}

    def write_states(self, states: Mapping[str, ScheduleState]) -> None:
        """Keep how they went.

        Raises:
            OutputError: if it cannot be written.
        """
        document = {name: state.model_dump(mode="json") for name, state in states.items()}
        write_atomically(self._state_path, _encoded(document))


def _encoded(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
