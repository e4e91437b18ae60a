"""From errors to answers, in one place: JSON problems for programs, pages for people; never a trace."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from admin_api.problems import PROBLEM_TYPE, FieldError, ProblemError, problem_facts
from crm.db.away import is_passing
from crm.kit.errors import DomainError, Kind

STATUS = {
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.FORBIDDEN: 403,
    Kind.INVALID: 422,
    Kind.UNAVAILABLE: 503,
}
_AWAY = (TimeoutError, PoolTimeoutError, OperationalError, ConnectionError)
_DETAILS = {
    400: "The request cannot be read.",
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    413: "The request is too large.",
}
_SOON = {"Retry-After": "5"}
ErrorPage = Callable[[Request, ProblemError], Awaitable[Response]]
log = structlog.get_logger("siyu.http")


def as_problem(error: Exception) -> ProblemError | None:
    """The problem that stands for `error`; None when nobody foresaw it."""
    match error:
        case ProblemError():
            return error
        case DomainError():
            problem = ProblemError(STATUS[error.kind], error.code(), error.detail, errors=_errors(error))
            problem.facts = problem_facts({k: v for k, v in error.facts.items() if k not in {"path", "problems"}})
        case RequestValidationError():
            problem = ProblemError(422, "invalid_request", "Some fields are not valid.", errors=_fields(error))
        case HTTPException():
            detail = _DETAILS.get(error.status_code, str(error.detail))
            problem = ProblemError(error.status_code, _http_code(error.status_code), detail, headers=error.headers)
        case _:
            return _infrastructure(error)
    return problem


def _infrastructure(error: Exception) -> ProblemError | None:
    """What the database or the clock say: too busy, lost, or a value that no column holds."""
    if isinstance(error, DBAPIError) and (isinstance(error, DataError) or _is_out_of_range(error)):
        return ProblemError(422, "invalid_value", "A value is outside of what can be stored.")
    is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if is_lost or is_passing(error) or isinstance(error, _AWAY):
        detail = "The service is too busy or restarting; try again in a moment."
        return ProblemError(503, "unavailable", detail, headers=_SOON)
    return None


def unforeseen() -> ProblemError:
    """What the outside hears of an error in our own code; the log knows more under the request's id."""
    return ProblemError(500, "internal_error", "Something went wrong on our side; tell us the request id.")


def problem_response(request: Request, problem: ProblemError) -> JSONResponse:
    """The problem as JSON."""
    content = {
        **problem.facts,
        "type": f"urn:siyu:problem:{problem.code}",
        "title": _title(problem.status),
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": getattr(request.state, "request_id", ""),
        "errors": [item.model_dump() for item in problem.errors],
    }
    return JSONResponse(jsonable_encoder(content), problem.status, problem.headers, PROBLEM_TYPE)


def install(app: FastAPI, page: ErrorPage, console_root: str) -> None:
    """Answer every foreseen error of `app`: below `console_root` by `page`, elsewhere as JSON."""

    async def answer(request: Request, error: Exception) -> Response:
        problem = as_problem(error)
        if problem is None:
            raise error
        return await respond(request, problem, page, console_root)

    foreseen = (DomainError, ProblemError, RequestValidationError, HTTPException, TimeoutError, ConnectionError)
    for kind in (*foreseen, DBAPIError, PoolTimeoutError):
        app.add_exception_handler(kind, answer)


async def respond(request: Request, problem: ProblemError, page: ErrorPage, console_root: str) -> Response:
    """The problem in the form that fits the address."""
    path = request.url.path
    if path != console_root and not path.startswith(f"{console_root}/"):
        return problem_response(request, problem)
    if "json" in request.headers.get("accept", "") and "html" not in request.headers.get("accept", ""):
        return problem_response(request, problem)
    return await page(request, problem)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _http_code(status: int) -> str:
    return _title(status).lower().replace(" ", "_").replace("-", "_")


def _fields(error: RequestValidationError) -> list[FieldError]:
    return [
        FieldError(path=_path(item["loc"]), message=str(item["msg"]), code=str(item["type"])) for item in error.errors()
    ]


def _path(location: tuple[str | int, ...]) -> str:
    parts = list(location)
    if parts and parts[0] in {"body", "query", "path", "header", "cookie"}:
        parts = parts[1:]
    return ".".join(str(part) for part in parts)


def _errors(error: DomainError) -> list[FieldError]:
    """A domain error may name its place (`path`), or several (`errors`, `problems`: items with place and text)."""
    faults: Any = error.facts.get("errors") or error.facts.get("problems") or []
    if isinstance(faults, Mapping):
        faults = [{"path": path, "message": message} for path, message in faults.items()]
    if not faults and error.facts.get("path") is not None:
        faults = [{"path": error.facts["path"]}]
    return [_fault(_facts(item), error) for item in faults]


def _facts(fault: Any) -> dict[str, Any]:
    match fault:
        case dict():
            return fault
        case str():
            return {"message": fault}
    return dict(vars(fault))


def _fault(facts: dict[str, Any], error: DomainError) -> FieldError:
    place = facts.get("path", facts.get("place", ""))
    path = place if isinstance(place, str) else ".".join(str(part) for part in place)
    message = facts.get("message", facts.get("text", error.detail))
    return FieldError(path=path, message=str(message), code=str(facts.get("code", error.code())))


def _is_out_of_range(error: DBAPIError) -> bool:
    """Whether asyncpg refused a value before it was sent, or PostgreSQL by class 22."""
    original = error.orig
    if original is None:
        return False
    state = str(getattr(original, "sqlstate", None) or "")
    return state.startswith("22") or "DataError" in type(original.__cause__ or original).__name__
