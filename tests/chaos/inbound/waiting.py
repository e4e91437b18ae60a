"""Waiting for what this process sees without asking anybody."""

from collections.abc import Callable
from typing import TypeVar

from tests.acceptance.waiting import until

T = TypeVar("T")


async def until_seen(look: Callable[[], T], is_so: Callable[[T], bool]) -> T:
    """Look again until it is as wanted. Raises TimeoutError."""

    async def ask() -> T:
        return look()

    return await until(ask, is_so)
