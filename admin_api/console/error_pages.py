"""What a page says when something went wrong; works without the database."""

from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from admin_api.addresses import ROOT
from admin_api.console import locale as locales
from admin_api.console.pages import environment
from admin_api.problems import ConfirmationNeededError, ProblemError, SignInNeededError

_HEADINGS = {
    401: "Sign in first",
    403: "You may not do this",
    404: "There is nothing here",
    405: "This address does not take this",
    409: "That is not possible now",
    413: "That is too large",
    422: "Something is not valid",
    429: "Too many tries",
    503: "Not available at the moment",
}


async def error_page(request: Request, problem: ProblemError) -> Response:
    """The problem as a page; who is not signed in is led to the sign-in page."""
    here = request.url.path if request.method == "GET" else f"{ROOT}/"
    if request.method == "GET" and request.url.query:
        here = f"{here}?{request.url.query}"
    match problem:
        case SignInNeededError():
            return _lead(request, f"{ROOT}/sign-in?next={quote(here, safe='')}", 401)
        case ConfirmationNeededError():
            return _lead(request, f"{ROOT}/confirm?next={quote(here, safe='')}", 403)
    locale = _locale(request)
    translate = locales.translator(locale)
    html = (
        environment(locale)
        .get_template("console/error.html")
        .render(
            status=problem.status,
            heading=translate(_HEADINGS.get(problem.status, "Something went wrong")),
            text=_text(problem, translate),
            request_id=getattr(request.state, "request_id", ""),
            locale=locale,
        )
    )
    return HTMLResponse(html, problem.status, problem.headers)


def _lead(request: Request, path: str, status: int) -> Response:
    if request.headers.get("hx-request") == "true":
        return Response(status_code=status, headers={"HX-Redirect": path})
    return RedirectResponse(path, 303)


def _locale(request: Request) -> str:
    edge = getattr(request.state, "edge", None)
    if edge is not None and edge.principal is not None:
        return str(edge.principal.locale)
    return locales.of_request(request)


def _text(problem: ProblemError, translate: locales.Translate) -> str:
    said = translate(problem.detail)
    places = [f"{item.path}: {translate(item.message)}" for item in problem.errors if item.path]
    return " ".join([said, *places])
