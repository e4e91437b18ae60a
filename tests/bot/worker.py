"""One inbound worker as a process of its own, to be killed: `python -m tests.bot.worker DATABASE_URL`."""

import asyncio
import sys
from datetime import timedelta

from crm.db.session import Surroundings, make_engine, make_sessions
from crm.events import subscriptions
from crm.kit.crypto import Vault
from tests.bot.loop import House
from tests.bot.test_dispatcher import order, pay_once
from tests.conftest import SECRET


async def main(url: str) -> None:
    """Sweep until killed."""
    engine = make_engine(url, pool_size=5)
    ports = {subscriptions.PORT: subscriptions.Subscriptions([])}
    house = House(make_sessions(engine, Surroundings(Vault(SECRET), ports)), order, pay_once)
    while True:
        if await house.dispatcher.sweep(older_than=timedelta()) == 0:
            await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
