"""`siyu demo`: a member's and an operator's day on a throw-away Siyu, every step verified."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from rich.console import Console

from bot.channels.telegram.simulator.client import SimulatorClient
from crm.config.settings import Settings
from runtime.commands.demo_steps.chat import MemberChat
from runtime.commands.demo_steps.day import day
from runtime.commands.demo_steps.office import open_office
from runtime.commands.demo_steps.script import Script, StepFailed
from runtime.logs import set_up_logs
from runtime.processes.up import everything
from runtime.settled import read_settings

_OUT = Console(highlight=False, soft_wrap=True)
_PATIENCE = 180.0


async def run() -> int:
    """0 only when every step was verified."""
    script = Script(_OUT)
    folder = Path(tempfile.mkdtemp(prefix="siyu-demo-"))
    settings = _throw_away(read_settings(), folder)
    set_up_logs(settings.log)
    try:
        async with asyncio.timeout(_PATIENCE):
            await _play(settings, script)
    except (StepFailed, TimeoutError, ExceptionGroup) as error:
        failure = _failure(error)
        if failure is None and isinstance(error, ExceptionGroup):
            raise
        script.failed(str(failure or "") or "the day took too long")
        return 1
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    script.done()
    return 0


def _failure(error: BaseException) -> StepFailed | None:
    """The step that failed, also from among the tasks that were running meanwhile."""
    if isinstance(error, StepFailed):
        return error
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return next((found for found in map(_failure, inner) if found is not None), None)


def _throw_away(settings: Settings, folder: Path) -> Settings:
    """Own servers, own folder, any free port, no real bot: nothing of a real deployment is touched."""
    return settings.model_copy(
        update={
            "data": settings.data.model_copy(update={"dir": folder}),
            "database": settings.database.model_copy(update={"url": None}),
            "valkey": settings.valkey.model_copy(update={"url": None}),
            "http": settings.http.model_copy(update={"host": "127.0.0.1", "port": 0}),
            "public": settings.public.model_copy(update={"url": None}),
            "telegram": settings.telegram.model_copy(update={"bot_token": None, "api_base": None}),
            "log": settings.log.model_copy(update={"level": "ERROR"}),
        }
    )


async def _play(settings: Settings, script: Script) -> None:
    script.title("Starting a throw-away Siyu")
    async with everything(settings, asyncio.Event()) as running:
        assert running.simulator is not None
        async with SimulatorClient(running.simulator.base_url) as client, open_office(running) as office:
            user = await client.create_user("Lin", language_code="en", phone="+8613800001234")
            await day(script, MemberChat(client, int(user["id"]), script), office)
