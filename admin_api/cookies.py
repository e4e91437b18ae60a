"""The console's cookies: `__Host-` ones over https, plain names over http."""

from fastapi import Request, Response

SESSION = "siyu_session"
VISITOR = "siyu_visitor"
LOCALE = "siyu_locale"
FLASH = "siyu_flash"
_LIFETIME = {SESSION: 12 * 3600, VISITOR: 12 * 3600, LOCALE: 365 * 86400, FLASH: 60}


def _name(name: str, *, is_https: bool) -> str:
    return f"__Host-{name}" if is_https else name


def read(request: Request, name: str) -> str | None:
    """The cookie's value as the scheme of this request names it."""
    return request.cookies.get(_name(name, is_https=request.url.scheme == "https"))


def write(response: Response, request: Request, name: str, value: str | None) -> None:
    """Set the cookie, or remove it with None."""
    is_https = request.url.scheme == "https"
    response.set_cookie(
        _name(name, is_https=is_https),
        value or "",
        max_age=0 if value is None else _LIFETIME[name],
        path="/",
        secure=is_https,
        httponly=True,
        samesite="lax",
    )
