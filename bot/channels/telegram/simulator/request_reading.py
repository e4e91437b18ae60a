"""Reading a call's parameters out of its query and its JSON, form or multipart body."""

from typing import Any

import orjson
from starlette.datastructures import UploadFile
from starlette.requests import Request

from .errors import BotApiError, bad_request
from .parameters import Parameters, Upload

LARGEST_BODY = 55 * 1024 * 1024


async def read_parameters(request: Request) -> Parameters:
    """All parameters of a request; raises 400 or 413 for a body that cannot be read."""
    values: dict[str, Any] = dict(request.query_params)
    if request.method in {"GET", "HEAD"}:
        return Parameters(values)
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > LARGEST_BODY:
        raise BotApiError(413, "Request Entity Too Large")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return Parameters(values | _json_object(await request.body()))
    if kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        return await _read_form(request, values)
    return Parameters(values)


def _json_object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(value, dict):
        raise bad_request("can't parse JSON object")
    return value


async def _read_form(request: Request, values: dict[str, Any]) -> Parameters:
    uploads: dict[str, Upload] = {}
    async with request.form(max_files=12, max_part_size=LARGEST_BODY) as form:
        for name, value in form.items():
            if isinstance(value, UploadFile):
                kind = value.content_type or "application/octet-stream"
                uploads[name] = Upload(value.filename or name, kind, await value.read())
            else:
                values[name] = value
    return Parameters(values, uploads)
