"""Campaigns over the admin API, as an operator would send them."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx

from crm.kit.clock import monotonic
from crm.kit.ids import token
from tests.chaos.crowd import Crowd

_REST = 0.2
_SHOWN = ("status", "held_reason", "resumes_at", "scheduled_at", "started_at", "counts")


@dataclass(frozen=True)
class Campaign:
    """One campaign behind the API."""

    office: httpx.AsyncClient
    id: int
    mark: str
    """Stands in each of its messages and in no other."""

    async def read(self) -> dict[str, Any]:
        """Its status and counts."""
        found = await self.office.get(f"campaigns/{self.id}")
        assert found.status_code == 200, found.text
        body: dict[str, Any] = found.json()
        return body

    async def act(self, verb: str, **body: object) -> httpx.Response:
        """`launch`, `pause`, `resume`, `cancel` ..."""
        return await self.office.post(f"campaigns/{self.id}/{verb}", json=body or None)

    async def do(self, verb: str, **body: object) -> dict[str, Any]:
        """The same, which must succeed."""
        answer = await self.act(verb, **body)
        assert answer.status_code in {200, 201}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def until(self, status: str, *, within: float) -> dict[str, Any]:
        """Wait for a status; raises AssertionError with what there was instead after `within` seconds."""
        return await self.until_so(lambda found: found["status"] == status, status, within=within)

    async def until_so(self, is_so: Any, wanted: str, *, within: float) -> dict[str, Any]:
        """Wait until the campaign is as wanted; raises AssertionError with what there was instead."""
        end = monotonic() + within
        while not is_so(found := await self.read()):
            shown = {name: found[name] for name in _SHOWN}
            assert monotonic() < end, f"not {wanted} within {within:.0f} s, but {shown}"
            await asyncio.sleep(_REST)
        return found

    async def at_rest(self, *, within: float) -> dict[str, Any]:
        """Wait until nothing of it is with a sender."""
        return await self.until_so(
            lambda found: not found["counts"]["sending"] and not found["counts"]["claimed"], "at rest", within=within
        )


async def draft(
    office: httpx.AsyncClient, crowd: Crowd, *, text: str = "Hello {{ member.name }}", **fields: Any
) -> Campaign:
    """A campaign to the whole crowd, not launched yet."""
    segment = await office.post("segments", json={"name": crowd.tag, "rule": crowd.rule})
    assert segment.status_code == 201, segment.text
    mark = token("mark-", size=6)
    message = {"text": f"{text} [{mark}]"}
    body = {"name": crowd.tag, "segment_id": segment.json()["id"], "message": message, **fields}
    made = await office.post("campaigns", json=body)
    assert made.status_code == 201, made.text
    return Campaign(office, int(made.json()["id"]), mark)
