"""Of the device that opens the web chat only a keyed digest is kept, with whoever opened it."""

from sqlalchemy import select

from crm.db.base import Base
from crm.members import service as members
from tests.bot.channels.webchat.house import ChatHouse
from tests.bot.channels.webchat.page import open_page

DEVICES = Base.metadata.tables["referral_devices"]


async def test_two_strangers_on_one_device_have_a_fingerprint_in_common(house: ChatHouse) -> None:
    owners = []
    for _ in range(2):
        async with open_page(house) as page:
            await page.hello()
            await page.heard()
            address = page.token.split(".")[0]
        async with house.sessions() as session:
            contact = await members.find_contact(session, house.bot.id, address)
            assert contact is not None
            owners.append(contact.member.id)
    async with house.sessions() as session:
        rows = (await session.execute(select(DEVICES).where(DEVICES.c.member_id.in_(owners)))).all()
    assert sorted(row.member_id for row in rows) == sorted(owners)
    assert len({row.fingerprint for row in rows}) == 1
    assert b"127.0.0.1" not in rows[0].fingerprint
