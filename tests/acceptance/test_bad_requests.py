"""Bad input over the API: the right status, a problem that says what is wrong, and nothing half done."""

from typing import Any

import httpx
import pytest

from tests.acceptance.deployment import Deployment
from tests.acceptance.kept import counts, nothing_kept
from tests.acceptance.refusals import refused

_LEAF = {"condition": "points_balance", "at_least": 1}
_RTL = "\u202eعربي\u202c שלום"
_LONG = "n" * 10_000


def _deep(levels: int) -> dict[str, Any]:
    rule: dict[str, Any] = _LEAF
    for _ in range(levels):
        rule = {"not": rule}
    return rule


def _message(text: Any, **more: Any) -> dict[str, Any]:
    return {"name": "n", "message": {"text": text, **more}}


def _order(**changes: Any) -> dict[str, Any]:
    order = {"member_id": 1, "external_id": "x", "amount": "10", "currency": "CNY"}
    return {**order, "placed_at": "2026-01-01T00:00:00Z", **changes}


REFUSED = [
    ("messages/templates", _message("one\n{{ member.name"), 422, ["line 2"]),
    ("messages/templates", _message("{% if member.points %}\nyes"), 422, ["line"]),
    ("messages/templates", _message("Hello\n\n{{ member.nmae }}"), 422, ["line 3", "nmae"]),
    ("messages/templates", _message({"en": "fine", "zh-CN": "{{ 7 | shout }}"}), 422, ["zh-CN", "shout"]),
    ("messages/templates", _message("{{ ''.__class__.__mro__ }}"), 422, ["line 1"]),
    ("messages/templates", _message("{% for x in range(9999999) %}a{% endfor %}"), 422, ["line 1"]),
    ("messages/templates", _message({"fr": "Bonjour"}), 422, ["fr", "en", "zh-CN"]),
    ("messages/templates", _message("  "), 422, ["text"]),
    ("messages/templates", _message("<b>open"), 422, ["b"]),
    ("messages/templates", _message("hi", buttons=[{"label": "x", "url": "javascript:alert(1)"}]), 422, ["http"]),
    ("messages/templates", {"name": _LONG, "message": {"text": "hi"}}, 422, ["name", "200"]),
    ("messages/templates", {"name": "a\x00b", "message": {"text": "hi"}}, 422, ["NUL"]),
    ("segments", {"name": "s", "rule": {"any": []}}, 422, ["any"]),
    ("segments", {"name": "s", "rule": {"all": [{"any": []}]}}, 422, ["rule.all.0.any"]),
    ("segments", {"name": "s", "rule": {"condition": "shoe_size", "at_least": 40}}, 422, ["shoe_size"]),
    ("segments", {"name": "s", "rule": {**_LEAF, "at_leats": 40}}, 422, ["at_leats"]),
    ("segments", {"name": "s", "rule": {**_LEAF, "at_least": "many"}}, 422, ["at_least"]),
    ("segments", {"name": "s", "rule": {"all": _LEAF}}, 422, ["rule.all"]),
    ("segments", {"name": "s", "rule": {"all": [], "any": []}}, 422, ["rule"]),
    ("segments", {"name": "s", "rule": "everyone"}, 422, ["rule"]),
    ("segments", {"name": "s", "rule": None}, 422, ["rule"]),
    ("segments", {"name": "s", "rule": _deep(30)}, 422, ["deep"]),
    ("segments", {"name": "s", "rule": _deep(300)}, 422, ["deep"]),
    ("segments", {"name": " ", "rule": _LEAF}, 422, ["name"]),
    ("segments", {"name": "s", "rule": _LEAF, "colour": "red"}, 422, ["colour"]),
    ("segments/preview", {"rule": {"any": []}}, 422, ["any"]),
    ("events", {"name": "Bad Name!", "member_id": 1}, 422, ["name"]),
    ("events", {"name": "fine", "member_id": 2**62}, 404, ["member"]),
    ("events", {"name": "fine", "member_id": 2**70}, 422, ["member_id"]),
    ("events", {"name": "fine", "member_id": 1, "occurred_at": "2199-01-01T00:00:00Z"}, 422, ["occurred_at"]),
    ("events", {"name": "fine", "member_id": 1, "occurred_at": "2026-01-01T00:00:00"}, 422, ["occurred_at"]),
    ("orders", _order(amount="-5"), 422, ["amount"]),
    ("orders", _order(amount="1e400"), 422, ["amount"]),
    ("orders", _order(amount="0.001"), 422, ["amount"]),
    ("orders", _order(currency="WOW"), 422, ["currency"]),
    ("orders", _order(placed_at="yesterday"), 422, ["placed_at"]),
    ("orders", _order(items=[{"name": ""}]), 422, ["items.0.name"]),
    ("api-keys", {"name": "k", "scopes": ["fly:high"]}, 422, ["fly:high"]),
    ("api-keys", {"name": "k", "scopes": []}, 422, ["scopes"]),
    ("surveys", {"key": "k", "name": "k", "definition": {"questions": []}}, 422, ["questions"]),
    ("bots", {"channel": "pigeon"}, 422, ["pigeon", "telegram"]),
    ("bots", {"channel": "telegram", "token": "123456789:" + "B" * 35}, 422, ["BotFather"]),
    ("campaigns", {"name": "c", "segment_id": 2**40, "message": {"text": "hi"}}, 404, ["segment"]),
]


@pytest.mark.parametrize(("path", "body", "status", "words"), REFUSED)
async def test_what_makes_no_sense(
    office: httpx.AsyncClient, deployment: Deployment, *, path: str, body: Any, status: int, words: list[str]
) -> None:
    async for attempt in nothing_kept(deployment.settings["SIYU_DATABASE_URL"]):
        async with attempt:
            refused(await office.post(path, json=body), status, *words)


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"{", 422, ["JSON"]),
        (b"", 422, []),
        (b"[1, 2]", 422, []),
        (b'{"name": "\xff"}', 400, ["UTF-8"]),
        (b'{"name": "s", "rule": ' + b"[" * 5000 + b"]" * 5000 + b"}", 422, ["nested"]),
        (b'{"name": "s", "rule": NaN}', 422, ["NaN"]),
        (b'{"name": "\\u0000", "rule": {"all": []}}', 422, ["NUL"]),
        (b'{"name": "\\ud83c", "rule": {"all": []}}', 422, ["half"]),
        (b'{"name": "' + b"x" * 1_100_000 + b'"}', 413, ["bytes"]),
    ],
    ids=["cut", "empty", "list", "not-utf8", "deep", "nan", "nul", "half", "large"],
)
async def test_bodies_that_are_no_request(
    office: httpx.AsyncClient, deployment: Deployment, content: bytes, status: int, words: list[str]
) -> None:
    async for attempt in nothing_kept(deployment.settings["SIYU_DATABASE_URL"]):
        async with attempt:
            headers = {"Content-Type": "application/json"}
            refused(await office.post("segments", content=content, headers=headers), status, *words)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("members?limit=0", 422),
        ("members?limit=1000", 422),
        ("members?limit=many", 422),
        ("members?cursor=bm9uc2Vuc2U", 422),
        ("members?cursor=%F0%9F%8D%B5", 422),
        ("members?query=%00", 422),
        ("members/0", 422),
        ("members/99999999999999999999", 422),
        ("members/9999999999", 404),
        ("campaigns?status=flying", 422),
        ("nothing/here", 404),
    ],
)
async def test_addresses_that_lead_nowhere(office: httpx.AsyncClient, path: str, status: int) -> None:
    refused(await office.get(path), status)


async def test_a_contradiction_counts_nobody_and_warns(office: httpx.AsyncClient) -> None:
    preview = await office.post("segments/preview", json={"rule": {"all": [_LEAF, {"not": _LEAF}]}})
    assert preview.status_code == 200, preview.text
    assert preview.json()["count"] == 0
    assert "contradict" in preview.json()["warnings"][0]["text"]


@pytest.mark.parametrize("name", ["🍵" * 20, _RTL, "a\u200bb", "'; DROP TABLE members; --", "{{ 7 * 7 }}", "<script>"])
async def test_odd_names_are_kept_as_they_are(office: httpx.AsyncClient, name: str) -> None:
    made = await office.post("segments", json={"name": name, "rule": _LEAF})
    assert made.status_code == 201, made.text
    assert (await office.get(f"segments/{made.json()['id']}")).json()["name"] == name


async def test_phones_names_and_tags_of_a_member(office: httpx.AsyncClient, deployment: Deployment) -> None:
    bot = next(item for item in (await office.get("bots")).json()["items"] if item["channel"] == "telegram")
    body = {"bot_id": bot["id"], "address": "424242", "display_name": "Wu 🍵"}
    member = (await office.post("members", json=body)).json()
    path = f"members/{member['id']}"
    async for attempt in nothing_kept(deployment.settings["SIYU_DATABASE_URL"]):
        async with attempt:
            for phone in ("no phone", "12", "+861380000", "1" * 50):
                body = refused(await office.patch(path, json={"phone": phone, "display_name": "half"}), 422, "phone")
            refused(await office.patch(path, json={"time_zone": "Mars/Olympus"}), 422, "zone")
            refused(await office.patch(path, json={"locale": "xx-YY"}), 422, "language")
            refused(await office.patch(path, json={"birthday": "1899-01-32"}), 422, "birthday")
            refused(await office.patch(path, json={"email": "nobody at home"}), 422, "e-mail")
            refused(await office.patch(path, json={"display_name": "a\x00b"}), 422, "NUL")
            refused(await office.patch(path, json={"expected_version": 999, "display_name": "x"}), 409)
            refused(await office.post(f"{path}/tags", json={"tag": "a:b:c:" + "d" * 190}), 422, "tag")
    changed = await office.patch(path, json={"display_name": "n" * 10_000})
    assert changed.status_code == 200, changed.text
    assert len(changed.json()["display_name"]) == 64


async def test_the_same_order_and_event_twice(office: httpx.AsyncClient, deployment: Deployment) -> None:
    bot = next(item for item in (await office.get("bots")).json()["items"] if item["channel"] == "telegram")
    member = (await office.post("members", json={"bot_id": bot["id"], "address": "434343"})).json()
    order = _order(member_id=member["id"], external_id="twice", amount="168.00")
    event = {"name": "workshop_booked", "member_id": member["id"], "key": "twice"}
    for path, body in (("orders", order), ("events", event)):
        answers = [await office.post(path, json=body) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [201, 200, 200], answers[-1].text
    found = (await office.get(f"members/{member['id']}")).json()
    assert (found["orders_count"], found["orders_total"]) == (1, "168.00")
    kinds = [item["kind"] for item in (await office.get(f"members/{member['id']}/timeline")).json()["items"]]
    assert (kinds.count("order_placed"), kinds.count("custom")) == (1, 1)
    assert (await counts(deployment.settings["SIYU_DATABASE_URL"]))["orders"] >= 1


async def test_a_file_with_bad_rows(office: httpx.AsyncClient) -> None:
    rows = ["Name,Mobile,Birthday", "Good,+8613800002222,1990-01-01", "Bad,not a phone,1990-01-01", "Odd,,1990-13-45"]
    file = {"file": ("members.csv", "\n".join(rows).encode(), "text/csv")}
    looked = await office.post("member-files/look", files=file)
    assert looked.status_code == 200, looked.text
    assert looked.json()["rows_total"] == 3
    for content in (b"", b"\x00\x01\x02", b"\xff\xfe\xfd" * 50):
        refused(await office.post("member-files/imports", files={"file": ("x.csv", content, "text/csv")}), 422)
    wrong = await office.post("member-files/imports", files=file, data={"mapping": "{not json"})
    refused(wrong, 422, "mapping")
