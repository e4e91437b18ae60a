"""Endpoints: what is taken, what is kept, who is told of what."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import watching
from crm.alerts.service import open_subjects
from crm.alerts.types import AlertKind
from crm.db.rotation import rotate
from crm.events.models import HandoffRow, WishRow
from crm.kit.crypto import Vault
from crm.kit.egress import AddressRefused
from crm.webhooks import messages, sealed, sending, service, watches
from crm.webhooks.errors import EndpointDisabled, EndpointNotFound, InvalidEndpoint, TooManyEndpoints
from crm.webhooks.types import DisabledReason, EndpointStatus
from tests.crm.webhooks.conftest import House
from tests.factories.consumer import Consumer

ADDRESS = "https://shop.example/hooks/secret-path"


async def _kept(session: AsyncSession) -> set[str]:
    return set(await session.scalars(text("SELECT kind FROM event_wishes WHERE subscriber = 'webhooks.tell'")))


async def test_address_and_secrets_are_sealed_and_shown_once(session: AsyncSession) -> None:
    made = await service.create(session, name=" Till\n3 ", address=ADDRESS, kinds=["checked_in"], created_by=4)
    assert (made.endpoint.name, made.endpoint.address, made.endpoint.created_by) == ("Till 3", ADDRESS, 4)
    assert made.secret not in repr(made)
    assert "secret-path" not in repr(made)
    row = (await session.execute(text("SELECT w::text FROM webhook_endpoints w"))).scalar_one()
    assert not any(plain in row for plain in ("secret-path", ADDRESS.encode().hex(), made.secret))
    assert made.secret not in repr(vars(await service.get(session, made.endpoint.id)))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "shop.example",
        "http://shop.example/",
        "https://10.0.0.1/",
        "https://2130706433/",
        "https://a:b@shop.example/",
    ],
)
async def test_wrong_addresses_are_refused_when_saved(session: AsyncSession, address: str) -> None:
    kept = (await service.create(session, name="Till", address=ADDRESS, kinds=["*"])).endpoint
    if address == "http://shop.example/":
        assert (await service.change(session, kept.id, address=address)).address == address  # tests allow http
        return
    with pytest.raises(AddressRefused):
        await service.create(session, name="Till", address=address, kinds=["*"])
    with pytest.raises(AddressRefused):
        await service.change(session, kept.id, address=address)


async def test_what_is_wished_for_follows_the_active_endpoints(session: AsyncSession) -> None:
    one = (await service.create(session, name="A", address=ADDRESS, kinds=["checked_in", "order_placed"])).endpoint
    two = (await service.create(session, name="B", address=ADDRESS, kinds=["tag_added"])).endpoint
    assert await _kept(session) == {"checked_in", "order_placed", "tag_added"}
    await service.disable(session, one.id)
    assert await _kept(session) == {"tag_added"}
    await service.change(session, two.id, kinds=["*"])
    await service.enable(session, one.id)
    assert await _kept(session) == {"checked_in", "order_placed", "*"}
    await service.delete(session, two.id)
    await service.delete(session, one.id)
    assert await _kept(session) == set()
    with pytest.raises(EndpointNotFound):
        await service.get(session, one.id)


async def test_events_that_nobody_wants_open_no_hand_off(house: House) -> None:
    async def handed() -> int:
        async with house.sessions.begin() as session:
            query = "SELECT count(*) FROM event_handoffs WHERE subscriber = 'webhooks.tell'"
            return int((await session.execute(text(query))).scalar_one())

    assert (HandoffRow.__tablename__, WishRow.__tablename__) == ("event_handoffs", "event_wishes")
    await house.endpoint(ADDRESS, "order_placed")
    await house.check_in()
    async with house.sessions.begin() as session:
        kept = (await session.execute(text("SELECT count(*) FROM webhook_messages"))).scalar_one()
    assert (kept, await handed()) == (0, 0)


async def test_one_message_for_each_event_and_endpoint(house: House, consumer: Consumer) -> None:
    first = await house.endpoint(consumer.base_url)
    everything = await house.endpoint(consumer.base_url, "*")
    other = await house.endpoint(consumer.base_url, "tag_added")
    off = await house.endpoint(consumer.base_url)
    async with house.sessions.begin() as session:
        await service.disable(session, off.endpoint.id)
    event = await house.check_in()
    async with house.sessions.begin() as session:
        await messages.keep(session, event)
        kept = {
            item.endpoint.id: [one.kind for one in (await messages.listing(session, item.endpoint.id)).items]
            for item in (first, everything, other, off)
        }
    assert kept[first.endpoint.id] == ["checked_in"]
    assert sorted(kept[everything.endpoint.id]) == ["checked_in", "member_created"]
    assert kept[other.endpoint.id] == kept[off.endpoint.id] == []


async def test_there_is_a_limit(session: AsyncSession) -> None:
    for number in range(50):
        await service.create(session, name=f"E{number}", address=ADDRESS, kinds=["*"])
    with pytest.raises(TooManyEndpoints):
        await service.create(session, name="one more", address=ADDRESS, kinds=["*"])


async def test_both_secrets_sign_while_they_overlap(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(consumer.base_url)
    async with house.sessions.begin() as session:
        newer = await service.rotate_secret(session, made.endpoint.id, overlap_hours=24)
        assert newer.endpoint.older_secret_until == house.now + timedelta(hours=24)
    await house.check_in()
    await house.send()
    assert [consumer.heard[0].is_signed(secret) for secret in (made.secret, newer.secret)] == [True, True]
    await house.later(hours=25)
    await house.check_in()
    await house.send()
    assert [consumer.heard[1].is_signed(secret) for secret in (made.secret, newer.secret)] == [False, True]
    async with house.sessions.begin() as session:
        newest = await service.rotate_secret(session, made.endpoint.id, overlap_hours=0)
    await house.check_in()
    await house.send()
    used = [consumer.heard[2].is_signed(secret) for secret in (made.secret, newer.secret, newest.secret)]
    assert used == [False, False, True]


@pytest.mark.parametrize("hours", [-1, 169])
async def test_a_secret_does_not_overlap_for_ever(session: AsyncSession, hours: int) -> None:
    made = await service.create(session, name="Till", address=ADDRESS, kinds=["*"])
    with pytest.raises(InvalidEndpoint):
        await service.rotate_secret(session, made.endpoint.id, overlap_hours=hours)


async def test_the_key_of_the_deployment_can_be_rotated(house: House) -> None:
    made = await house.endpoint(ADDRESS)
    async with house.sessions.begin() as session:
        newer = await service.rotate_secret(session, made.endpoint.id)
        session.info["siyu"] = type(session.info["siyu"])(Vault(b"another secret of 32 characters!", _old()), {})
    for item in (sealed.address, sealed.secret, sealed.older_secret):
        done = await rotate(house.sessions, item)
        assert done.broken == ()
    async with house.sessions.begin() as session:
        assert (await service.get(session, newer.endpoint.id)).address == ADDRESS


def _old() -> bytes:
    return b"a secret that only tests know, 32+"


async def test_what_does_not_open_is_dead_and_stops_no_other(house: House, consumer: Consumer) -> None:
    broken = await house.endpoint(consumer.base_url)
    whole = await house.endpoint(consumer.base_url)
    await house.check_in()
    async with house.sessions.begin() as session:
        change = "UPDATE webhook_endpoints SET secret_sealed = address_sealed WHERE id = :id"
        await session.execute(text(change), {"id": broken.endpoint.id})
    assert await house.send() == 2
    assert [one.is_signed(whole.secret) for one in consumer.heard] == [True]
    async with house.sessions.begin() as session:
        (message,) = (await messages.listing(session, broken.endpoint.id)).items
    assert (message.state, message.last_status) == ("dead", None)
    assert "do not open" in (message.last_error or "")


async def test_an_operator_disables_without_losing_what_waits(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(consumer.base_url)
    await house.check_in()
    async with house.sessions.begin() as session:
        off = await service.disable(session, made.endpoint.id)
        assert (off.status, off.disabled_reason) == (EndpointStatus.DISABLED, DisabledReason.OPERATOR)
        for forbidden in (messages.send_test, messages.replay_dead):
            with pytest.raises(EndpointDisabled):
                await forbidden(session, made.endpoint.id)
    assert await house.send() == 0
    async with house.sessions.begin() as session:
        await service.enable(session, made.endpoint.id)
    assert await house.send() == 1


async def test_an_operator_is_told_of_what_was_given_up_and_that_it_is_mended(house: House, consumer: Consumer) -> None:
    made = await house.endpoint(consumer.base_url)
    consumer.status = 410
    await house.check_in()
    await house.send()
    async with house.sessions.begin() as session:
        await watching.apply(session, watches.given_up)
        assert await open_subjects(session, AlertKind.WEBHOOK_DISABLED) == {str(made.endpoint.id)}
        await service.enable(session, made.endpoint.id)
        await watching.apply(session, watches.given_up)
        assert await open_subjects(session, AlertKind.WEBHOOK_DISABLED) == frozenset()


async def test_nothing_is_sent_after_a_restore(house: House, consumer: Consumer) -> None:
    await house.endpoint(consumer.base_url)
    await house.check_in()
    async with house.sessions.begin() as session:
        await session.execute(text("INSERT INTO safe_mode (backup_made_at, last_reply) VALUES (siyu_now(), 0)"))
    assert await sending.claim(house.sessions) == []
