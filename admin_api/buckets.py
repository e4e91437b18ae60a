"""Rates and waits that all processes share through Valkey; without it each process counts for itself."""

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from admin_api.problems import ProblemError
from crm.kit.clock import monotonic
from crm.operators.policy import LONGEST_SIGN_IN_DELAY, sign_in_delay

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
_ENTER = """
for number = 1, 2 do
    local left = redis.call('PTTL', KEYS[number * 2])
    if left > 0 then return left end
end
for number = 1, 2 do
    local count = redis.call('INCR', KEYS[number * 2 - 1])
    redis.call('EXPIRE', KEYS[number * 2 - 1], ARGV[3])
    local over = count - tonumber(ARGV[number])
    if over >= 0 then
        redis.call('SET', KEYS[number * 2], '1', 'EX', math.min(2 ^ math.min(over, 20), tonumber(ARGV[4])))
    end
end
return 0
"""
"""Waits and counts at once, so that tries at the same moment cannot slip through together."""
_IPV6_SITE = 64
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
class _Tries:
    count: int
    until: float


class SignInThrottle:
    """Tries to sign in per account and per address: each beyond the free ones doubles the wait for the next.

    A try counts before the password is looked at, and is forgiven when it was right.
    """

    def __init__(self, valkey: Redis, *, free_per_account: int, free_per_address: int) -> None:
        self._valkey = valkey
        self._free = (free_per_account, free_per_address)
        self._own: OrderedDict[str, _Tries] = OrderedDict()

    async def enter(self, *, account: str, address: str) -> None:
        """Count a try. Raises ProblemError (429) while account or address has to wait; says nothing about which."""
        names = _names(account, address)
        keys = [key for name in names for key in _keys(name)]
        try:
            given = (*map(str, self._free), str(_REMEMBERED_SECONDS), str(LONGEST_SIGN_IN_DELAY))
            wait = float(await self._valkey.eval(_ENTER, len(keys), *keys, *given)) / 1000
        except (RedisError, OSError) as down:
            log.warning("throttle_unavailable", error=type(down).__name__)
            wait = self._enter_here(names)
        if wait > 0:
            raise too_many("too_many_sign_ins", "Too many failed tries.", wait)

    async def succeeded(self, *, account: str, address: str) -> None:
        """Forget the account's tries, and this one of the address."""
        by_account, by_address = _names(account, address)
        self._own.pop(by_account, None)
        try:
            async with self._valkey.pipeline(transaction=True) as pipe:
                pipe.delete(*_keys(by_account), _keys(by_address)[1])
                pipe.decr(_keys(by_address)[0])
                await pipe.execute()
        except (RedisError, OSError) as down:
            log.warning("throttle_unavailable", error=type(down).__name__)

    def _enter_here(self, names: tuple[str, str]) -> float:
        tries = [self._own.setdefault(name, _Tries(0, 0.0)) for name in names]
        wait = max(own.until for own in tries) - monotonic()
        if wait > 0:
            return wait
        for own, free in zip(tries, self._free, strict=True):
            own.count += 1
            own.until = monotonic() + sign_in_delay(own.count, free=free)
        while len(self._own) > _MOST_REMEMBERED:
            self._own.popitem(last=False)
        return 0.0


def _names(account: str, address: str) -> tuple[str, str]:
    return f"account:{account}", f"address:{_site(address)}"


def _site(address: str) -> str:
    """The address; of IPv6 the network that one customer is given whole, for its addresses cost nothing."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, _IPV6_SITE), strict=False))
    return str(found)


def _keys(name: str) -> tuple[str, str]:
    return f"siyu:sign_in:{name}:count", f"siyu:sign_in:{name}:wait"
