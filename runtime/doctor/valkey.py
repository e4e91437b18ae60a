"""Valkey: there, and not throwing away what it holds."""

from redis.asyncio import Redis
from redis.exceptions import RedisError

from .findings import Finding


async def look(url: str) -> list[Finding]:
    """Reach and policy; without Valkey Siyu works, each process with its own share of the rates."""
    async with Redis.from_url(url, socket_connect_timeout=2, socket_timeout=5) as client:
        try:
            await client.ping()
        except (RedisError, OSError, TimeoutError) as error:
            text = f"Valkey does not answer ({type(error).__name__}): start it, or check SIYU_VALKEY_URL."
            return [Finding("valkey", text)]
        return [Finding("valkey"), await _policy(client)]


async def _policy(client: Redis) -> Finding:
    try:
        found = await client.config_get("maxmemory*")
    except RedisError:
        return Finding("valkey policy")  # hosted servers often hide their settings
    policy = str(found.get("maxmemory-policy"))
    if not policy.startswith("allkeys") or str(found.get("maxmemory")) == "0":
        return Finding("valkey policy")
    text = f"Valkey throws away what it likes ({policy}): set maxmemory-policy volatile-lru."
    return Finding("valkey policy", text, is_fatal=False)
