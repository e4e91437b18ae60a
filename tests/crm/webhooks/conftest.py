"""Services that may call this machine, a consumer on it, and a clock that is moved."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from crm.db.session import Sessions, Surroundings
from crm.events.catalogue import CheckedIn
from crm.events.relay import relay_all
from crm.events.service import publish
from crm.events.types import RecordedEvent
from crm.kit import egress
from crm.webhooks import sending, service
from crm.webhooks.types import IssuedEndpoint
from tests.factories.consumer import Consumer, consuming, loopback_egress
from tests.factories.members import make_member

START = datetime.fromisoformat("2026-03-01T00:00:00+00:00")


@pytest.fixture(scope="session")
def surroundings(surroundings: Surroundings) -> Surroundings:
    """As everywhere, but loopback may be called."""
    return replace(surroundings, ports={**surroundings.ports, egress.PORT: loopback_egress()})


@pytest.fixture
async def consumer() -> AsyncIterator[Consumer]:
    """Who receives."""
    async with consuming(Consumer()) as heard:
        yield heard


class House:
    """What tests do again and again, each step in a transaction of its own, at a time of their own."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.now = START

    async def set_time(self, moment: datetime) -> None:
        """The business clock, from now on."""
        self.now = moment
        async with self.sessions.begin() as session:
            await session.execute(text("SELECT set_config('siyu.now', :now, true)"), {"now": moment.isoformat()})

    async def later(self, **passed: float) -> None:
        """Move the business clock on."""
        await self.set_time(self.now + timedelta(**passed))

    async def endpoint(self, address: str, *kinds: str) -> IssuedEndpoint:
        """A new endpoint, told of check-ins unless said otherwise."""
        async with self.sessions.begin() as session:
            return await service.create(session, name="Till", address=address, kinds=kinds or ["checked_in"])

    async def check_in(self, streak: int = 1) -> RecordedEvent:
        """Something happens and is relayed."""
        async with self.sessions.begin() as session:
            member = await make_member(session)
            fact = CheckedIn(member_id=member.id, local_date=self.now.date(), streak=streak)
            event = await publish(session, fact)
        await relay_all(self.sessions)
        return event

    async def send(self) -> int:
        """Call for everything that is due, once; answers how many calls were made."""
        client, made = loopback_egress(), 0
        while found := await sending.claim(self.sessions):
            for claimed in found:
                outcome = await sending.call(client, claimed)
                async with self.sessions.begin() as session:
                    await sending.settle(session, claimed, outcome)
                made += 1
        return made


@pytest.fixture
async def house(sessions: Sessions) -> House:
    """Over the database whose changes are rolled back."""
    made = House(sessions)
    await made.set_time(START)
    return made
