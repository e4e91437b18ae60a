"""A repeated write has one effect, however it is repeated."""

import asyncio

from sqlalchemy import text

from crm.audit import service as audit
from tests.admin_api.conftest import Site

PATH = "/api/v1/bots"
BODY = {"channel": "webchat", "name": "Shop"}


async def test_a_repeated_write_is_answered_as_before(site: Site) -> None:
    async with await site.api() as client:
        first = await client.post(PATH, json=BODY, headers={"Idempotency-Key": "one"})
        again = await client.post(PATH, json=BODY, headers={"Idempotency-Key": "one"})
        listed = (await client.get(PATH)).json()["items"]
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert len(listed) == 1


async def test_the_same_key_for_something_else_is_refused(site: Site) -> None:
    async with await site.api() as client:
        await client.post(PATH, json=BODY, headers={"Idempotency-Key": "one"})
        other = await client.post(PATH, json={**BODY, "name": "Else"}, headers={"Idempotency-Key": "one"})
        elsewhere = await client.patch("/api/v1/brand", json=BODY, headers={"Idempotency-Key": "one"})
    for answer in (other, elsewhere):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")


async def test_the_same_key_of_another_principal_is_another_key(site: Site) -> None:
    for _ in range(2):
        async with await site.api() as client:
            answer = await client.post(PATH, json=BODY, headers={"Idempotency-Key": "one"})
        assert answer.status_code == 201


async def test_a_failed_write_may_be_repeated_with_its_key(site: Site) -> None:
    async with await site.api() as client:
        wrong = await client.post(PATH, json={"channel": "pigeon"}, headers={"Idempotency-Key": "one"})
        right = await client.post(PATH, json=BODY, headers={"Idempotency-Key": "one"})
    assert wrong.status_code == 422
    assert "pigeon" in wrong.json()["detail"]
    assert right.status_code == 201


async def test_keys_have_a_bound(site: Site) -> None:
    async with await site.api() as client:
        for key in ("", "x" * 256):
            answer = await client.post(PATH, json=BODY, headers={"Idempotency-Key": key})
            assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_invalid")


async def test_fifty_at_once_have_one_effect(committed_site: Site) -> None:
    async with await committed_site.api() as client:
        answers = await asyncio.gather(
            *(client.post(PATH, json=BODY, headers={"Idempotency-Key": "same"}) for _ in range(50))
        )
        later = await client.post(PATH, json=BODY, headers={"Idempotency-Key": "same"})
        listed = (await client.get(PATH)).json()["items"]
    done = [answer for answer in answers if answer.status_code == 201]
    busy = [answer for answer in answers if answer.status_code == 409]
    assert len(listed) == 1
    assert len([answer for answer in done if "Idempotency-Replayed" not in answer.headers]) == 1
    assert {answer.json()["id"] for answer in [*done, later]} == {listed[0]["id"]}
    assert {answer.json()["code"] for answer in busy} <= {"idempotency_in_flight"}
    assert len(done) + len(busy) == 50


async def test_stored_answers_are_sealed(site: Site) -> None:
    async with await site.api() as client:
        made = await client.post(
            "/api/v1/api-keys", json={"name": "x", "scopes": ["*"]}, headers={"Idempotency-Key": "k"}
        )
    async with site.deps.sessions() as session:
        stored = (await session.execute(text("SELECT response_sealed FROM idempotency_keys"))).scalar_one()
    assert made.json()["secret"].encode() not in bytes(stored)


async def test_every_write_leaves_one_audit_entry(site: Site) -> None:
    async with await site.api() as client:
        await client.patch("/api/v1/brand", json={"name": "Cloud Tea"})
        await client.post(PATH, json=BODY)
        await client.post(PATH, json={"channel": "pigeon"})
        await client.get(PATH)
    async with site.deps.sessions() as session:
        entries = [found.entry for found in await audit.latest(session)]
        report = await audit.verify(session)
    assert [entry.action for entry in entries] == ["bot.add", "brand.change"]
    assert (entries[1].before, entries[1].after) == ({"name": "Siyu"}, {"name": "Cloud Tea"})
    assert entries[0].actor.startswith("api_key:")
    assert report.is_clean


async def test_a_refusal_is_audited_too(site: Site) -> None:
    async with await site.api("brand:read") as client:
        await client.patch("/api/v1/brand", json={"name": "Mine"})
    async with site.deps.sessions() as session:
        entry = (await audit.latest(session))[0].entry
    assert (entry.action, entry.subject) == ("access.denied", "PATCH /api/v1/brand")


async def test_a_file_is_made_again(site: Site) -> None:
    async with await site.api() as client:
        answers = [
            await client.post("/api/v1/member-files/export", json={}, headers={"Idempotency-Key": "file"})
            for _ in range(2)
        ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == answers[1].text
