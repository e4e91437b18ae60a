"""Argon2id, at most two at a time in this process, so that a flood of sign-ins cannot eat the memory."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crm.kit.ids import token

_HASHER = PasswordHasher(time_cost=1, memory_cost=46 * 1024, parallelism=1)
_WORKERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(token())


def _check(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


async def hashed(password: str) -> str:
    """The hash to store."""
    return await asyncio.get_running_loop().run_in_executor(_WORKERS, _HASHER.hash, password)


async def is_right(password: str, stored: str | None) -> bool:
    """Whether `password` fits `stored`; without one the same time is spent and the answer is no."""
    loop = asyncio.get_running_loop()
    if stored is None:
        await loop.run_in_executor(_WORKERS, lambda: _check(_nobodys_hash(), password))
        return False
    return await loop.run_in_executor(_WORKERS, _check, stored, password)


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with weaker figures than today's."""
    return _HASHER.check_needs_rehash(stored)
