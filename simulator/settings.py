"""Run settings: how a scenario is played, from options, environment and an optional file.

Rule of the room: one closed, frozen model; each field has a description, a unit, a default. What
wins, first to last: command-line option, environment variable ``ALERTSIM_<FIELD>``, the TOML file
given with ``--config``, the default. Nothing here can turn an exercise into an alert.
"""

import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from simulator.errors import ConfigurationError
from simulator.units import format_duration, parse_duration

SECRETS = frozenset({"password", "key_password"})
WITHOUT_OPTION = (
    SECRETS | {"status", "expires_after", "keep_alive", "state", "clock_bound"} | {"message_expiry"}
)
_OPTIONS = {"payload_format": "--format", "allow_hosts": "--allow-host"}
_MOST_SUBSCRIBERS = 1_000_000
_MOST_REPEATS = 100_000
_MOST_WORKERS = 64


def _duration(value: object) -> int:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, int) and not isinstance(value, bool) and value == 0:
        return 0
    raise ValueError("write a duration with its unit as text, for example 10s")


def _speed(value: object) -> Decimal:
    try:
        speed = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("write a number, for example 600") from None
    if not speed.is_finite() or not Decimal("0.001") <= speed <= Decimal(1_000_000):
        raise ValueError("the speed is a number from 0.001 to 1000000; 1 is real time")
    return speed


def _hosts(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def _digit(value: object) -> object:
    # The environment knows only text, and a Literal of numbers does not take it.
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _per_second(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return int(value.strip().removesuffix("/s"))
    except ValueError:
        raise ValueError("write a whole number of connections per second") from None


Ramp = Annotated[int, BeforeValidator(_per_second)]
Duration = Annotated[int, BeforeValidator(_duration), Field(ge=0)]
Qos = Annotated[Literal[0, 1, 2], BeforeValidator(_digit)]
Speed = Annotated[Decimal, BeforeValidator(_speed)]
HostList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts)]


class RunSettings(BaseSettings):
    """How to play a scenario."""

    model_config = SettingsConfigDict(
        env_prefix="ALERTSIM_", extra="forbid", frozen=True, validate_default=False
    )

    broker: str = Field(
        "embedded",
        description="embedded (starts its own), mosquitto (starts the installed one), amqtt "
        "(starts the slow one in pure Python), running (one of ours that runs on this host; "
        "running:PID for that of one process), or a URL "
        "mqtt://[user[:password]@]host[:port][?protocol=5]; mqtts:// for TLS, ws:// and wss:// "
        "for WebSocket, with a path if it is not /mqtt. Ports without saying: 1883, 8883, 80, 443.",
        examples=["embedded", "mqtt://127.0.0.1:1883"],
    )
    username: str | None = Field(
        None, description="User name for a broker by URL; one in the URL wins."
    )
    password: SecretStr | None = Field(
        None,
        description="Password for a broker by URL, from the environment or the configuration "
        "file: there is no option, because other users see command lines.",
    )
    password_file: Path | None = Field(
        None, description="File whose first line is the password; instead of password."
    )
    cafile: Path | None = Field(
        None,
        description="PEM file of the CAs that may have signed the broker's certificate; the "
        "system's CAs if not given.",
    )
    cert: Path | None = Field(
        None, description="PEM file of our own certificate, where the broker wants one."
    )
    key: Path | None = Field(
        None, description="PEM file of its private key, if it is not in the same file."
    )
    key_password: SecretStr | None = Field(
        None,
        description="Password of the private key, from the environment or the configuration "
        "file only.",
    )
    server_name: str | None = Field(
        None,
        description="Host name that the broker's certificate must be for, if the URL says "
        "another or an address.",
    )
    protocol: Literal["3.1.1", "5", "mixed"] = Field(
        "mixed", description="MQTT version of the swarm's subscribers; mixed alternates."
    )
    subscribers: int = Field(
        300,
        ge=0,
        le=_MOST_SUBSCRIBERS,
        description="Subscribers in the alerted prefectures; controls come on top.",
    )
    qos: Qos = Field(1, description="QoS of the publisher.")
    subscribe_qos: Qos | None = Field(
        None, description="QoS that the subscribers ask for; the publisher's if not given."
    )
    session: Literal["clean", "persistent"] = Field(
        "clean", description="MQTT session of the subscribers."
    )
    speed: Speed = Field(
        Decimal(1),
        description="Scenario seconds per wall second between planned events; never scales a "
        "measured duration.",
        examples=["600"],
    )
    seed: int = Field(1, ge=0, lt=2**63, description="Seed of every random stream of the run.")
    repeat: int = Field(
        1, ge=1, le=_MOST_REPEATS, description="How often the timeline is played, one connection."
    )
    gap: Duration = Field(
        1_000_000_000, description="Wall time between two playings.", examples=["1s"]
    )
    late_after: Duration = Field(
        10_000_000_000,
        description="A first copy later than this after its intended time is late, wall.",
        examples=["10s"],
    )
    drain: Duration = Field(
        10_000_000_000,
        description="How long to wait, at most, for deliveries still owed after the last send, "
        "wall.",
        examples=["10s"],
    )
    lead_in: Literal["launch"] | Duration = Field(
        0,
        description="Scenario time that passes at the run's speed before the first alert; launch: "
        "from the first launch on, so that the stages of the chain can be watched.",
        examples=["launch"],
    )
    hold: Duration = Field(
        0,
        description="Keep broker, states and subscribers this long after the last alert and its "
        "drain, wall.",
        examples=["60s"],
    )
    wait_for_clients: int = Field(
        0, ge=0, description="Start only after so many foreign clients are online by status."
    )
    wait_timeout: Duration = Field(
        60_000_000_000,
        description="Give up waiting for clients and readiness after this, wall.",
        examples=["60s"],
    )
    clock_bound: Duration = Field(
        1_000_000_000,
        description="Largest uncertainty of a one-way figure of a client on another clock, wall; "
        "beyond it the figure is refused and the delivery is known up to its round trip.",
        examples=["100ms"],
    )
    root: str = Field("alertsim", description="First topic level or levels.")
    allow_hosts: HostList = Field(
        (),
        description="Hosts other than this one that may be published to, separated by commas.",
        examples=["broker.example"],
    )
    payload_format: Literal["json", "cap-xml"] = Field(
        "json", description="json: CloudEvents with CAP in data; cap-xml: CAP 1.2 XML."
    )
    cap_clock: Literal["wall", "scenario"] = Field(
        "wall", description="Whose time fills sent, effective and expires."
    )
    status: Literal["Exercise", "Test"] | None = Field(
        None,
        description="CAP status; the scenario's if not given. Nothing else can be sent.",
        examples=["Exercise"],
    )
    expires_after: Duration = Field(
        3_600_000_000_000, description="Validity of a message, wall.", examples=["1h"]
    )
    message_expiry: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether brokers let alerts and retained states expire (MQTT 5), expires_after "
        "after they were sent. auto: on a mosquitto that alertsim starts; always: also on a broker "
        "by URL that speaks MQTT 5, which must not be iotcore, whose 3.1.1 listener it would end; "
        "never: nowhere.",
        examples=["always"],
    )
    keep_alive: Duration = Field(
        60_000_000_000,
        le=65_535_000_000_000,
        description="MQTT keep alive of our clients, wall; MQTT allows at most 65535 s.",
        examples=["60s"],
    )
    ramp: Ramp = Field(
        2000,
        ge=1,
        le=100_000,
        description="Connections opened per second by the whole swarm; 500 and 500/s say the same.",
        examples=["500/s"],
    )
    swarm_workers: int | None = Field(
        None,
        ge=1,
        le=_MOST_WORKERS,
        description="Processes that share the swarm; if not given, one for every 2500 "
        "connections, at most one for each processor.",
        examples=[2],
    )
    cluster: str | None = Field(
        None,
        description="Address of a Dask scheduler whose workers hold the swarm, each on its host; "
        "if not given, processes of this one.",
        examples=["tcp://10.0.0.5:8786"],
    )
    kernel_stamps: bool = Field(
        default=True, description="Ask the kernel for receive stamps; false stamps after recv."
    )
    state: bool = Field(
        default=True, description="Publish retained state with a guardian per prefecture."
    )

    @model_validator(mode="after")
    def _nothing_to_do(self) -> Self:
        if self.qos == 0 and self.session == "persistent":
            raise ValueError("a persistent session keeps nothing at qos 0: use qos 1 or 2")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the hook's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # the hook's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options first, then the environment, then the file."""
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls))


def load_settings(options: Mapping[str, object], config_file: Path | None = None) -> RunSettings:
    """Combine options, environment and file into the settings of a run.

    Args:
        options: values given on the command line; ``None`` means not given.
        config_file: a TOML file with the same names, or None.

    Raises:
        ConfigurationError: naming the setting, the value and the remedy.
    """
    if config_file is not None:
        _check_readable(config_file)
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}

    class FromFile(RunSettings):
        model_config = SettingsConfigDict(toml_file=config_file)

    try:
        return FromFile(**given)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        where, name = _place(field, given, config_file)
        raise ConfigurationError(
            _words(field, first),
            where,
            name,
            None if not field else "***" if field in SECRETS else repr(first["input"]),
            _remedy(field, first["type"]),
        ) from None


def _words(field: str, error: ErrorDetails) -> str:  # noqa: PLR0911  # one for each
    """What is wrong with a setting, in our words where pydantic's are those of a program."""
    bounds = error.get("ctx", {})
    match error["type"]:
        case "greater_than_equal":
            return f"must be at least {as_environment(field, bounds['ge'])}"
        case "less_than_equal":
            return f"may be at most {as_environment(field, bounds['le'])}"
        case "int_parsing" | "int_type" | "int_from_float":
            return "write a whole number"
        case "bool_parsing" | "bool_type":
            return "write true or false"
        case "literal_error":
            return f"must be {bounds['expected']}"
        case "extra_forbidden":
            return "no such setting"
        case _:
            return error["msg"].removeprefix("Value error, ")


def _place(field: str, given: Mapping[str, object], file: Path | None) -> tuple[str, str]:
    """Where a setting came from, and what it is called there."""
    if field and field not in given:
        variable = as_variable(field)
        if any(name.upper() == variable for name in os.environ):
            return "", variable
        if file is not None:
            return str(file), field
    return "", spoken(field) if field else ""


def spoken(field: str) -> str:
    """How a user says a setting: its option, or where there is none, its variable."""
    if field in WITHOUT_OPTION:
        return as_variable(field)
    return _OPTIONS.get(field, f"--{field.replace('_', '-')}")


def as_variable(field: str) -> str:
    """The environment variable of a setting."""
    return f"ALERTSIM_{field.upper()}"


def as_environment(name: str, value: object) -> str:
    """A setting's value as its environment variable would say it."""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if isinstance(value, bool):
        return str(value).lower()
    annotated = RunSettings.model_fields[name].metadata
    if isinstance(value, int) and any(
        isinstance(part, BeforeValidator) and part.func is _duration for part in annotated
    ):
        return format_duration(value)
    return str(value)


def _remedy(field: str, kind: str) -> str:
    if kind == "extra_forbidden":
        known = ", ".join(RunSettings.model_fields)
        return f"remove it; the known settings are {known}"
    known_field = RunSettings.model_fields.get(field)
    if known_field is None:
        return ""
    if field in SECRETS:
        return f"set {as_variable(field)}; {known_field.description}"
    example = as_environment(field, (known_field.examples or [known_field.default])[0])
    if field in WITHOUT_OPTION:
        form = f"{as_variable(field)}={example}, or {field} in the file given with --config"
    else:
        form = f"{spoken(field)} {example}"
    return f"write for example {form}; {known_field.description}"


def _check_readable(path: Path) -> None:
    try:
        with path.open("rb") as file:
            tomllib.load(file)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror}", str(path), remedy="give --config a readable file"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"is not TOML: {error}", str(path), remedy="write one `name = value` a line"
        ) from None
