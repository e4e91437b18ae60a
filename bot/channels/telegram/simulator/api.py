"""The Bot API's two doors: method calls and file downloads."""

import asyncio

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from .core import Simulator
from .errors import BotApiError, migrated, too_many_requests
from .faults import Fault, FaultKind
from .json_types import Json
from .methods.call import Call, not_found
from .methods.registry import METHODS
from .parameters import Parameters
from .request_reading import read_parameters
from .transport import CutConnection
from .world.bots import Bot

_HTML_ERROR = "<html><head><title>{0} Bad Gateway</title></head><body><h1>{0}</h1></body></html>"


def json_response(body: Json, status: int = 200) -> Response:
    """An answer as JSON."""
    return Response(orjson.dumps(body), status, media_type="application/json")


async def answer_method(simulator: Simulator, request: Request) -> ASGIApp:
    """Answer one call of a method."""
    name = str(request.path_params["method"]).lower()
    bot_id = 0
    try:
        bot = simulator.bot_by_token(request.path_params["token"])
        bot_id = bot.id
        parameters = await _read(request)
        response = await _call_with_faults(simulator, bot, name, parameters)
    except BotApiError as error:
        simulator.statistics.note(bot_id, name, error.code, error.description, simulator.config.clock())
        return json_response(error.body(), error.code)
    status = response.status_code if isinstance(response, Response) else 0
    simulator.statistics.note(bot_id, name, status, "", simulator.config.clock())
    return response


async def call_in_answer(simulator: Simulator, bot: Bot, call: Json) -> None:
    """Carry out a call that came in a webhook's answer; its outcome goes nowhere."""
    method = METHODS.get(str(call["method"]).lower())
    try:
        if method is not None:
            await method(Call(simulator, bot, Parameters(call)))
    except BotApiError:
        return


async def download_file(simulator: Simulator, request: Request) -> Response:
    """Give a bot the bytes of a file."""
    try:
        simulator.bot_by_token(request.path_params["token"])
        wanted = request.path_params["path"]
        file = next((f for f in simulator.world.files.values() if f.path == wanted), None)
        content = None if file is None else simulator.world.file_box.read(file.unique_id)
        if content is None:
            raise not_found()
    except BotApiError as error:
        return json_response(error.body(), error.code)
    return Response(content, media_type="application/octet-stream")


async def _read(request: Request) -> Parameters:
    try:
        return await read_parameters(request)
    except HTTPException as error:
        raise BotApiError(400, f"Bad Request: {error.detail}") from None


async def _call_with_faults(simulator: Simulator, bot: Bot, name: str, parameters: Parameters) -> ASGIApp:
    method = METHODS.get(name)
    if method is None:
        raise not_found()
    fault = None
    if simulator.faults.rules:
        fault = simulator.faults.strike(bot.id, name, parameters, is_after_accept=False)
    if fault is not None:
        response = await _fail_before(simulator, fault)
        if response is not None:
            return response
    result = await method(Call(simulator, bot, parameters))
    if simulator.faults.rules:
        fault = simulator.faults.strike(bot.id, name, parameters, is_after_accept=True)
        if fault is not None:
            hang = fault.seconds or 3600.0
            is_timeout = fault.kind is FaultKind.TIMEOUT_AFTER_ACCEPT
            return CutConnection(hang if is_timeout else 0.0)
    return json_response({"ok": True, "result": result})


async def _fail_before(simulator: Simulator, fault: Fault) -> ASGIApp | None:
    if fault.seconds:
        await asyncio.sleep(fault.seconds)
    match fault.kind:
        case FaultKind.LATENCY:
            return None
        case FaultKind.RESET_BEFORE_ACCEPT:
            return CutConnection(0.0)
        case FaultKind.SERVER_ERROR:
            return _server_error(fault)
        case FaultKind.MIGRATE:
            return _migrate(simulator, fault)
        case _:
            raise _refusal(fault)


def _refusal(fault: Fault) -> BotApiError:
    match fault.kind:
        case FaultKind.TOO_MANY_REQUESTS:
            return too_many_requests(fault.retry_after)
        case FaultKind.FORBIDDEN:
            return BotApiError(403, fault.text or "Forbidden: bot was blocked by the user")
        case FaultKind.UNAUTHORIZED:
            return BotApiError(401, fault.text or "Unauthorized")
        case _:
            return BotApiError(400, fault.text or "Bad Request: chat not found")


def _server_error(fault: Fault) -> Response:
    if fault.as_html:
        return Response(fault.text or _HTML_ERROR.format(fault.status), fault.status, media_type="text/html")
    error = BotApiError(fault.status, fault.text or "Internal Server Error")
    return json_response(error.body(), fault.status)


def _migrate(simulator: Simulator, fault: Fault) -> ASGIApp:
    """The old id is refused from now on by this rule; the new one leads to the same chat."""
    old, new = fault.chat_id or 0, fault.migrate_to_chat_id or 0
    simulator.world.add_alias(new, old)
    raise migrated(new)
