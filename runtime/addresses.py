"""Where people reach this deployment."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crm.config.settings import Settings


def public_address(settings: "Settings", port: int | None = None) -> str:
    """SIYU_PUBLIC_URL, else the address that is listened on; without a slash at the end."""
    if settings.public.url is not None:
        return str(settings.public.url).rstrip("/")
    host = "127.0.0.1" if settings.http.host in {"0.0.0.0", "::"} else settings.http.host  # noqa: S104 - compared only
    return f"http://{host}:{port or settings.http.port}"
