"""Rates and waits that all processes share through Valkey; without it each process counts for itself."""

from collections import OrderedDict
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from admin_api.problems import ProblemError
from crm.kit.clock import monotonic
from crm.operators.policy import sign_in_delay

_REMEMBERED_SECONDS = 24 * 3600
_MOST_REMEMBERED = 10_000
_TAKE = """
local state = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local tokens = math.min(burst, (tonumber(state[1]) or burst) + (now - (tonumber(state[2]) or now)) * rate)
local wait = 0
if tokens >= 1 then tokens = tokens - 1 else wait = (1 - tokens) / rate end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
return tostring(wait)
"""
log = structlog.get_logger("siyu.http")


async def take(valkey: Redis, name: str, *, rate: float, burst: int) -> None:
    """Use one request of the bucket `name`. Raises ProblemError (429) when it is empty; lets through without Valkey."""
    try:
        wait = float(await valkey.eval(_TAKE, 1, f"siyu:rate:{name}", str(rate), str(burst)))
    except (RedisError, OSError) as down:
        log.warning("rate_limit_unavailable", error=type(down).__name__)
        return
    if wait > 0:
        raise too_many("rate_limited", "Too many requests with this key.", wait)


def too_many(code: str, detail: str, wait: float) -> ProblemError:
    """429 with the seconds to wait."""
    seconds = max(1, round(wait + 0.5))
    return ProblemError(429, code, f"{detail} Try again in {seconds} s.", headers={"Retry-After": str(seconds)})


@dataclass
class _Failures:
    count: int
    until: float


class SignInThrottle:
    """Failed sign-ins per account and per address: each failure beyond the free ones doubles the wait."""

    def __init__(self, valkey: Redis, *, free_per_account: int, free_per_address: int) -> None:
        self._valkey = valkey
        self._free = {"account": free_per_account, "address": free_per_address}
        self._own: OrderedDict[str, _Failures] = OrderedDict()

    async def check(self, *, account: str, address: str) -> None:
        """Raises ProblemError (429) while one of the two has to wait; says nothing about the account."""
        waits = [await self._wait(kind, name) for kind, name in (("account", account), ("address", address))]
        if max(waits) > 0:
            raise too_many("too_many_sign_ins", "Too many failed tries.", max(waits))

    async def failed(self, *, account: str, address: str) -> None:
        """Count a failure."""
        for kind, name in (("account", account), ("address", address)):
            await self._count(kind, name)

    async def succeeded(self, *, account: str) -> None:
        """Forget the account's failures; the address keeps its own."""
        self._own.pop(f"account:{account}", None)
        try:
            await self._valkey.delete(*_keys("account", account))
        except (RedisError, OSError) as down:
            log.warning("throttle_unavailable", error=type(down).__name__)

    async def _wait(self, kind: str, name: str) -> float:
        try:
            left = await self._valkey.pttl(_keys(kind, name)[1])
            return max(0, left) / 1000
        except (RedisError, OSError):
            own = self._own.get(f"{kind}:{name}")
            return max(0.0, own.until - monotonic()) if own else 0.0

    async def _count(self, kind: str, name: str) -> None:
        counter, gate = _keys(kind, name)
        try:
            async with self._valkey.pipeline(transaction=True) as pipe:
                pipe.incr(counter)
                pipe.expire(counter, _REMEMBERED_SECONDS)
                count = int((await pipe.execute())[0])
            delay = sign_in_delay(count, free=self._free[kind])
            if delay:
                await self._valkey.set(gate, "1", ex=delay)
        except (RedisError, OSError):
            self._count_here(kind, name)

    def _count_here(self, kind: str, name: str) -> None:
        own = self._own.setdefault(f"{kind}:{name}", _Failures(0, 0.0))
        own.count += 1
        own.until = monotonic() + sign_in_delay(own.count, free=self._free[kind])
        while len(self._own) > _MOST_REMEMBERED:
            self._own.popitem(last=False)


def _keys(kind: str, name: str) -> tuple[str, str]:
    return f"siyu:sign_in:{kind}:{name}:count", f"siyu:sign_in:{kind}:{name}:wait"
