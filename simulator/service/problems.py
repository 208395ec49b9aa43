"""Problems: what is wrong with a request, as ``application/problem+json`` (RFC 9457).

Rule of the module: every answer that is not a success has this one form, with our where, field,
value and remedy beside the standard's members; an error of ours decides its own status, and a
defect shows its kind and nothing of its insides.
"""

import errno
import re
from collections.abc import Mapping
from http import HTTPStatus
from traceback import extract_tb
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from simulator.errors import AlertsimError, BrokerError, InputError, OutputError

MEDIA_TYPE: Final = "application/problem+json"
_SHOWN_MAX: Final = 1000
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_PARTS: Final = ("body", "query", "path", "header")
_UNREADABLE: Final = "There was an error parsing the body"  # the framework's words for any of these


class Problem(BaseModel):
    """What is wrong and what to do about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str = Field(
        description="Which kind of problem, as a URN.", examples=["urn:alertsim:problem:input"]
    )
    title: str = Field(
        description="The kind in a few words.", examples=["What was given cannot be used"]
    )
    status: int = Field(description="The HTTP status again.", examples=[422])
    detail: str = Field(
        description="What is wrong here, one sentence.",
        examples=["the speed is a number from 0.001 to 1000000; 1 is real time"],
    )
    where: str = Field(
        default="",
        description="Where: file and line of a scenario, or a part of the request.",
        examples=["scenario_yaml:7"],
    )
    field: str = Field(default="", description="Dotted path of the field.", examples=["speed"])
    value: str | None = Field(default=None, description="What was given, as text.", examples=["0"])
    remedy: str = Field(
        default="", description="What to do instead.", examples=["write for example 60"]
    )


class ProblemError(Exception):
    """A request that cannot be served; becomes its Problem.

    Args:
        status: HTTP status, 400 to 599.
        kind: last part of the problem's URN.
        detail: what is wrong, one sentence.
        remedy: what to do instead.
        field: dotted path of the field.
        value: what was given.
        headers: more headers of the answer.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        remedy: str = "",
        field: str = "",
        value: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, kind, detail)
        self.headers = dict(headers or {})
        self.problem = problem(status, kind, detail, remedy=remedy, field=field, value=value)


def problem(
    status: int,
    kind: str,
    detail: str,
    *,
    remedy: str = "",
    where: str = "",
    field: str = "",
    value: str | None = None,
) -> Problem:
    """A problem whose title is that of its status."""
    return Problem(
        type=f"urn:alertsim:problem:{kind}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=_shown(detail),
        where=_shown(where),
        field=_shown(field),
        value=None if value is None else _shown(value),
        remedy=remedy,
    )


def _shown(text: str) -> str:
    """What may be said again: short, and text that can be encoded."""
    return text[:_SHOWN_MAX].encode("utf-8", "replace").decode()


def problem_of(error: Exception) -> Problem:
    """What an error of ours, or any other, looks like from outside."""
    if isinstance(error, ProblemError):
        return error.problem
    if isinstance(error, InputError):
        return _unusable(error)
    if isinstance(error, BrokerError):
        return problem(503, "broker", str(error).partition("\n")[0], remedy="see /healthz")
    if isinstance(error, OSError) and error.errno in _FULL:
        return problem(
            507,
            "disk-full",
            "the disk that holds the store is full",
            remedy="free some space, or delete runs",
        )
    if isinstance(error, FileNotFoundError):
        return problem(404, "not-found", "it is gone")
    detail = str(error) if isinstance(error, AlertsimError) else type(error).__name__
    return problem(
        500, "defect", f"internal error: {detail}", remedy="please report it; the log says more"
    )


def _unusable(error: InputError) -> Problem:
    """Something given that cannot be used, or a store that keeps nothing."""
    if isinstance(error, OutputError) and not _is_full(error):
        # Whoever asks chose no place: the log says where it is, the answer does not.
        remedy = "see that its directory is there and can be written to; the log names it"
        return problem(503, "store", f"the store of the service {error.message}", remedy=remedy)
    return problem(
        507 if _is_full(error) else 422,
        "disk-full" if _is_full(error) else "input",
        error.message,
        where=error.where,
        field=error.field.removeprefix("--").replace("-", "_"),
        value=error.value,
        remedy=error.remedy,
    )


def _is_full(error: InputError) -> bool:
    cause = error.__cause__
    return isinstance(error, OutputError) and isinstance(cause, OSError) and cause.errno in _FULL


def answer(found: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as a response."""
    return Response(
        found.model_dump_json(), found.status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route that may answer with these statuses says in the OpenAPI description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Answer every error that is expected with a problem; the doors answer the others."""

    async def ours(_request: Request, error: Exception) -> Response:
        headers = error.headers if isinstance(error, ProblemError) else {}
        return answer(problem_of(error), headers)

    async def invalid(_request: Request, error: Exception) -> Response:
        if not isinstance(error, RequestValidationError):
            raise error
        return answer(_invalid(error))

    async def disk(request: Request, error: Exception) -> Response:
        return answer(told(error, request.url.path))

    for kind in (ProblemError, AlertsimError):
        app.add_exception_handler(kind, ours)
    for fault in (OSError, OutputError):
        app.add_exception_handler(fault, disk)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, invalid)


async def _of_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if str(error.detail) == _UNREADABLE:
        return answer(_no_json("it cannot be read as JSON"))
    found = problem(error.status_code, _kind(error.status_code), str(error.detail))
    headers = {name.lower(): text for name, text in (error.headers or {}).items()}
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # The router names the methods of the first route alone.
        methods = described_methods(request.app.openapi(), request.url.path)
        headers |= {"allow": ", ".join(methods)} if methods else {}
    return answer(found, headers)


def told(error: Exception, path: str) -> Problem:
    """The problem of an error that nobody expected; the log says where it came from."""
    structlog.get_logger().error(
        "request failed",
        path=path,
        kind=type(error).__name__,
        reason=str(error),
        at=[f"{each.name}:{each.lineno}" for each in extract_tb(error.__traceback__)[-4:]],
    )
    return problem_of(error)


def described_methods(description: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """Methods that an OpenAPI description has for a path; none if it does not know it.

    Args:
        description: whose paths may hold ``{parameters}``, each one level.
        path: of a request; a path that stands there as it is comes before one with parameters.
    """
    paths = description["paths"]
    for template, operations in sorted(paths.items(), key=lambda item: item[0] != path):
        pattern = re.sub(r"\\{[^/]*?\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path):
            return tuple(sorted(method.upper() for method in operations))
    return ()


def _kind(status: int) -> str:
    return HTTPStatus(status).phrase.lower().replace(" ", "-")


def _invalid(error: RequestValidationError) -> Problem:
    """The first of what is wrong, and how many more there are."""
    found = error.errors()
    first = found[0]
    place, *path = (str(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        cause = first.get("ctx", {}).get("error", "not JSON")
        return _no_json(f"{cause}, character {path[0] if path else 0}")
    message = str(first["msg"]).removeprefix("Value error, ")
    more = len(found) - 1
    if more:
        message += f" (and {more} more {'problem' if more == 1 else 'problems'})"
    return problem(
        422,
        "input",
        message,
        where=place if place in _PARTS else "",
        field=".".join(path),
        value=_given(first.get("input")),
        remedy="see the description of the field at /openapi.json",
    )


def _given(value: object) -> str | None:
    """A value as the reader wrote it; None for what was not given, or is too much to say again."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _no_json(why: str) -> Problem:
    """A body that is no JSON, wherever one is asked for."""
    return problem(
        400, "json", f"the body is not JSON: {why}", where="body",
        remedy="send one JSON object, as /openapi.json describes it",
    )  # fmt: skip
