"""Says, in a copy of a lean process that ends afterwards, what that process must know."""

from pathlib import Path
from typing import Any

from pydantic import HttpUrl, SecretStr

from crm.events import subscriptions
from runtime.outline import FOLDER, SECRET
from runtime.settled import read_settings


def tell() -> dict[str, Any]:
    """Settings and subscriptions as JSON values. Ends the process with a clear sentence when a setting is wrong."""
    groups = {
        group: {name: _said(getattr(values, name)) for name in type(values).model_fields}
        for group, values in read_settings()
    }
    return {"settings": groups, "subscribers": subscriptions.discover().outline()}


def _said(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return {SECRET: value.get_secret_value()}
    if isinstance(value, Path):
        return {FOLDER: str(value)}
    return str(value) if isinstance(value, HttpUrl) else value
