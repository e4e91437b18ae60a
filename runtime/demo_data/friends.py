"""Who brought whom to the demo shop; two friends came on the device of their host, which an operator has to judge."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import vault
from crm.members.types import Contact
from crm.referrals.service import devices, joining, links
from runtime.demo_data.dice import Dice
from runtime.demo_data.people import Person

_HOSTS, _PEOPLE_PER_HOST = 6, 12
_BROUGHT = 0.3
_DOUBTFUL = 2
_NETWORK, _BROWSER = "192.0.2.7", "a borrowed telephone"


class Friends:
    """Hosts live first; of the others some come through the link of a host who was there before them."""

    def __init__(self, people: Sequence[Person]) -> None:
        staying = [one for one in people if one.has_signed_up and not one.stopped_days_ago]
        oldest = sorted(staying, key=lambda one: (-one.joined_days_ago, one.number))
        self.hosts = oldest[: min(_HOSTS, 1 + len(people) // _PEOPLE_PER_HOST)]
        self.others = [one for one in people if one not in self.hosts]
        self._host_of = {one.number: host for one in self.others if (host := self._host(one)) is not None}
        ordering = [number for number, host in self._host_of.items() if host == self.hosts[0]]
        self._doubtful = set(ordering[:_DOUBTFUL])
        self._codes: dict[int, str] = {}

    async def known(self, session: AsyncSession, host: Person, member_id: int) -> None:
        """The host is there: from now on friends can come by their link."""
        self._codes[host.number] = await links.code_of(session, member_id)
        if host == self.hosts[0]:
            await _borrow(session, member_id)

    async def bring(self, session: AsyncSession, person: Person, contact: Contact) -> None:
        """At the first contact: the person came through a host's link, if they have one."""
        host = self._host_of.get(person.number)
        if host is None or host.number not in self._codes:
            return
        await joining.touch(session, contact.member.id, self._codes[host.number], identity_id=contact.identity.id)
        if person.number in self._doubtful:
            await _borrow(session, contact.member.id)

    def _host(self, person: Person) -> Person | None:
        dice = Dice(f"friend {person.number}")
        earlier = [host for host in self.hosts if host.joined_days_ago > person.joined_days_ago]
        if not earlier or dice.chance() >= _BROUGHT:
            return None
        return dice.pick(earlier)


async def _borrow(session: AsyncSession, member_id: int) -> None:
    await devices.note(session, member_id, devices.fingerprint(vault(session), _NETWORK, _BROWSER))
