"""`siyu up` on one machine: what it prints, how it stops, what it leaves, how it comes back."""

import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.channels.telegram.simulator.client import SimulatorClient
from runtime.embedded.process import free_port
from tests.acceptance.census import family_of, still_there
from tests.acceptance.chat import Person
from tests.acceptance.processes import Siyu, finish

_ADDRESS = re.compile(r"^  (Console|Web chat|Telegram) +(http://\S+)", re.MULTILINE)
_SAID = "Siyu is running"
_BOT = "@siyu_bot"


class Machine:
    """One data folder, on which Siyu is started and stopped again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = {"SIYU_DATA_DIR": "kept here", "SIYU_HTTP_PORT": str(free_port())}
        self.addresses: dict[str, str] = {}
        self.up: Siyu | None = None

    async def start(self) -> Siyu:
        """Start and read the three addresses."""
        self.up = await Siyu.start("up", settings=self.settings, folder=self.folder)
        said = await self.up.until(lambda said: _SAID in said and len(_ADDRESS.findall(said)) == 3)
        self.addresses = {name: address.rstrip("/") for name, address in _ADDRESS.findall(said)}
        return self.up

    async def person(self, client: SimulatorClient) -> Person:
        """Somebody new in the simulated Telegram."""
        return await Person.make(client, _BOT)

    async def get(self, path: str) -> httpx.Response:
        """A page of the running Siyu."""
        base = self.addresses["Web chat"].removesuffix("/chat")
        async with httpx.AsyncClient(base_url=base, timeout=60) as client:
            return await client.get(path)


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    """A machine under a private parent folder; whatever still runs at the end is stopped."""
    parent = tmp_path / "private"
    parent.mkdir(mode=0o700)
    found = Machine(parent)
    yield found
    if found.up is not None and found.up.process.returncode is None:
        await found.up.end(signal.SIGTERM)


async def test_it_stops_whole_and_comes_back_with_its_data(machine: Machine) -> None:
    up = await machine.start()
    assert (await machine.get("/readyz")).json()["status"] == "ready"
    assert "/console/setup/" in machine.addresses["Console"]
    for address in machine.addresses.values():
        async with httpx.AsyncClient(follow_redirects=True, timeout=60) as client:
            assert (await client.get(address)).status_code == 200, address
    async with SimulatorClient(machine.addresses["Telegram"]) as client:
        person = await machine.person(client)
        await person.sign_up()
    family = family_of(up.process.pid)
    assert {"postgres", "valkey-server"} <= {mark.name for mark in family}
    assert await up.end(signal.SIGINT, within=60) == 0, up.said
    assert "Everything is stopped." in up.said
    assert "Traceback" not in up.said
    assert "\x1b" not in up.said
    assert still_there(family) == []

    up = await machine.start()
    async with SimulatorClient(machine.addresses["Telegram"]) as client:
        person = Person(client, person.user_id, _BOT, seen=person.seen)
        await person.ask("/checkin", "Checked in", "Day 1")

    # Runs while it is up, and lets the last reply be recorded: one in doubt would hold up its chat for a minute.
    verified = await finish("ledger", "verify", settings=machine.settings, folder=machine.folder)
    assert (verified.status, verified.err) == (0, ""), verified.out
    family = family_of(up.process.pid)
    assert await up.end(signal.SIGKILL) == -signal.SIGKILL
    up = await machine.start()
    async with SimulatorClient(machine.addresses["Telegram"]) as client:
        person = Person(client, person.user_id, _BOT, seen=person.seen)
        await person.ask("/checkin", "already checked in today")
    family += family_of(up.process.pid)
    assert await up.end(signal.SIGTERM, within=60) == 0, up.said
    assert still_there(family) == []
