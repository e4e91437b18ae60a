"""Renders operators' templates in a child process with limits: one second, 64 MB above its start, 16 KB of output.

The allow-list already keeps out what could burn; this is the second wall, used whenever a person waits for a
look at an unsent text (saving, preview, preflight). What is sent later runs in process.
"""

import asyncio
import json
import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter

from crm.messages.content import compile_content
from crm.messages.errors import RenderingFailedError
from crm.messages.types import ChannelTraits, MessageContent, Outbound, Recipient

SECONDS = 1
MEGABYTES = 64
MAX_OUTPUT = 16 * 1024
_START_SECONDS = 10
_RENDERED: TypeAdapter[list[Outbound]] = TypeAdapter(list[Outbound])
_CONTENT: TypeAdapter[MessageContent] = TypeAdapter(MessageContent)
_RECIPIENTS: TypeAdapter[list[Recipient]] = TypeAdapter(list[Recipient])
_TRAITS: TypeAdapter[ChannelTraits] = TypeAdapter(ChannelTraits)


async def render(
    content: MessageContent,
    recipients: Sequence[Recipient],
    traits: ChannelTraits,
    *,
    default_locale: str,
    tap_prefix: str = "p",
) -> list[Outbound]:
    """`content` for each recipient. Raises RenderingFailedError when a limit is reached."""
    order = {
        "content": _CONTENT.dump_python(content, mode="json"),
        "recipients": [asdict(recipient) for recipient in recipients],
        "traits": asdict(traits),
        "default_locale": default_locale,
        "tap_prefix": tap_prefix,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_START_SECONDS):
            answer, _ = await process.communicate(json.dumps(order, default=str).encode())
    except TimeoutError as error:
        process.kill()
        await process.wait()
        raise RenderingFailedError from error
    if process.returncode != 0:
        raise RenderingFailedError
    return _RENDERED.validate_json(answer)


def _limit_this_process() -> None:
    pages = int(open("/proc/self/statm").read().split()[0]) if sys.platform == "linux" else 0  # noqa: PTH123, SIM115 - before limits
    if pages:
        most = pages * resource.getpagesize() + MEGABYTES * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    used = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used + SECONDS, used + SECONDS))


def _work(order: dict[str, Any]) -> bytes:
    content = _CONTENT.validate_python(order["content"])
    compiled = compile_content(content, tap_prefix=order["tap_prefix"], default_locale=order["default_locale"])
    traits = _TRAITS.validate_python(order["traits"])
    rendered = [compiled.render(recipient, traits) for recipient in _RECIPIENTS.validate_python(order["recipients"])]
    if any(len(message.text_html.encode()) > MAX_OUTPUT for message in rendered):
        raise RenderingFailedError
    return _RENDERED.dump_json(rendered)


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    _limit_this_process()
    sys.stdout.buffer.write(_work(wanted))
