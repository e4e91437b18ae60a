"""Every channel that is discovered can at least send and read text, and nothing hostile makes it fall over."""

import copy
import html
import importlib
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.channels.contract import ChannelManifest
from bot.types import InboundChannel, InboundInput, InputKind, UnusableUpdateError
from crm.db.session import Sessions
from crm.deliveries.types import ChannelSender, Lane, SendOutcome, Sent
from crm.kit.parts import load_part
from crm.media import service as media
from crm.messages.content import adapt
from crm.messages.types import Button, Outbound, Request
from runtime.channels import discover_channels

from .channels.harness import Harness, OpenHarness, Surroundings

MANIFESTS = discover_channels()
HOSTILE = [
    "NUL \x00 inside",
    "right to left \u202e\u2066 marks",
    "family 👨‍👩‍👧‍👦 and flag 🇨🇳",
    "e" + "\u0301" * 500,
    "<script>alert(1)</script>",
    "{{ 7 * 7 }} {% for x in y %}",
    "'; DROP TABLE members; --",
    "\u0000",
    " ",
    "x" * 5000,
    "half \ud800 a pair",
]


class Channel:
    """A channel's loaded parts and its far side."""

    def __init__(self, manifest: ChannelManifest, harness: Harness) -> None:
        self.manifest = manifest
        self.harness = harness
        self.sender: ChannelSender = load_part(manifest.sender)(harness.context)
        self.inbound: InboundChannel = load_part(manifest.inbound)(harness.context)

    async def send(self, message: Outbound) -> SendOutcome:
        """Send to the harness's person."""
        adapted = adapt(message, self.manifest.traits)
        place = (self.harness.bot_id, self.harness.address)
        return await self.sender.send(*place, adapted, lane=Lane.INTERACTIVE)

    def parse(self, payload: bytes) -> InboundInput | None:
        """Read a raw update."""
        return self.inbound.parse(self.harness.bot_id, payload)

    async def close(self) -> None:
        """Close what the parts opened."""
        for part in (self.sender, self.inbound):
            close = getattr(part, "close", None)
            if close is not None:
                await close()


@pytest.fixture(params=list(MANIFESTS))
def manifest(request: pytest.FixtureRequest) -> ChannelManifest:
    return MANIFESTS[request.param]


@pytest.fixture
async def channel(manifest: ChannelManifest, committed_sessions: Sessions, valkey_url: str) -> AsyncIterator[Channel]:
    module = importlib.import_module(f"tests.conformance.channels.{manifest.name}")
    open_harness: OpenHarness = module.harness
    async with open_harness(Surroundings(committed_sessions, valkey_url)) as harness:
        channel = Channel(manifest, harness)
        yield channel
        await channel.close()


def test_the_manifest_is_sane(manifest: ChannelManifest) -> None:
    traits = manifest.traits
    assert manifest.name == traits.name
    assert manifest.name.isidentifier()
    assert manifest.title.strip()
    assert traits.max_text >= 160
    assert 0 < traits.max_caption <= traits.max_text
    assert 0 < traits.max_buttons_per_row <= traits.max_buttons
    assert manifest.needs_token == (manifest.check_token is not None)
    assert manifest.router is not None or manifest.poller is not None


def test_every_part_can_be_loaded(manifest: ChannelManifest) -> None:
    parts = (
        manifest.inbound, manifest.sender, manifest.router, manifest.poller, manifest.start, manifest.check_token
    )  # fmt: skip
    assert all(callable(load_part(part)) for part in parts if part is not None)


async def test_the_parts_agree_with_the_manifest(channel: Channel) -> None:
    for part in (channel.sender, channel.inbound):
        assert (part.name, part.traits) == (channel.manifest.name, channel.manifest.traits)


async def test_text_arrives(channel: Channel) -> None:
    outcome = await channel.send(Outbound("<b>Hello</b> 小明 &amp; friends"))
    assert isinstance(outcome, Sent)
    assert outcome.provider_ref
    [shown] = await channel.harness.shown()
    assert shown == "Hello 小明 & friends"


async def _richest(channel: Channel) -> list[Outbound]:
    drawn = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(drawn, "PNG")
    async with channel.harness.context.sessions.begin() as session:
        picture = (await media.store_image(session, drawn.getvalue())).id
    row = (Button("Yes", data="1:a:1"), Button("Shop", url="https://example.org/shop"))
    many = tuple(Button(f"Option {number}", data=f"1:a:{number}") for number in range(12))
    return [
        Outbound("buttons", (row,)),
        Outbound("a long row", (many,)),
        Outbound("picture", photo_media_id=picture),
        Outbound("picture and buttons", (row,), photo_media_id=picture),
        Outbound("menu", menu=(("Check in", "Points"), ("Help",))),
        Outbound("menu and buttons", (row,), menu=(("Check in",),)),
        Outbound("no menu", menu=()),
        Outbound("phone?", request=Request.CONTACT, request_label="Share"),
        Outbound("place?", ((Button("Skip", data="s"),),), request=Request.LOCATION),
        Outbound("protected", protect=True, silent=True),
    ]


async def test_whatever_is_richer_falls_back_to_text(channel: Channel) -> None:
    messages = await _richest(channel)
    for message in messages:
        outcome = await channel.send(message)
        assert isinstance(outcome, Sent), (message, outcome)
    shown = await channel.harness.shown()
    assert len(shown) == len(messages)
    for message, text in zip(messages, shown, strict=True):
        assert text.startswith(message.text_html)


async def test_edits_show_the_new_text(channel: Channel) -> None:
    first = await channel.send(Outbound("one", ((Button("A", data="a"),),)))
    assert isinstance(first, Sent)
    for reference in (first.provider_ref, first.provider_ref, "999999999", str(uuid4()), "nonsense", ""):
        outcome = await channel.send(Outbound(f"two {reference}", edit_ref=reference))
        assert isinstance(outcome, Sent), reference
        assert f"two {reference}".strip() in [text.strip() for text in await channel.harness.shown()]


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_shown_literally_or_refused(channel: Channel, text: str) -> None:
    shown_as = html.escape(text, quote=False) if channel.manifest.traits.has_html else text
    outcome = await channel.send(Outbound(shown_as, ((Button("ok", data="1:a:1"),),)))
    assert isinstance(outcome, SendOutcome)
    if isinstance(outcome, Sent):
        [shown] = await channel.harness.shown()
        assert _words(shown) == _words(text.encode("utf-8", "replace").decode())
    assert isinstance(await channel.send(Outbound("still alive")), Sent)


def _words(text: str) -> list[str]:
    """Channels may keep NUL, drop it or show a blank."""
    return text.replace("\x00", " ").split()


async def test_the_sender_answers_whatever_it_is_given(channel: Channel) -> None:
    bot_id, address = channel.harness.bot_id, channel.harness.address
    cases = [
        (bot_id, "", Outbound("x")),
        (bot_id, "\x00", Outbound("x")),
        (bot_id, "no such address", Outbound("x")),
        (bot_id, "9" * 400, Outbound("x")),
        (987_654_321, address, Outbound("x")),
        (bot_id, address, Outbound("")),
        (bot_id, address, Outbound("<b>open")),
        (bot_id, address, Outbound("x", photo_media_id=uuid4())),
        (bot_id, address, Outbound("x", ((Button("", data=""),), ()))),
        (bot_id, address, Outbound("x", ((Button("x", data="d" * 5000),),))),
        (bot_id, address, Outbound("x", ((Button("x"),),))),
        (bot_id, address, Outbound("x", menu=(("",), ()))),
    ]
    for to, place, message in cases:
        for lane in Lane:
            outcome = await channel.sender.send(to, place, message, lane=lane)
            assert isinstance(outcome, SendOutcome), (to, place, message)


async def test_what_a_person_writes_is_read(channel: Channel) -> None:
    for text in ("hello", "签到 ☀️", "/checkin", "<b>", " "):
        found = channel.parse(channel.harness.said(text))
        assert found is not None
        assert (found.kind, found.text) == (InputKind.TEXT, text)
        assert (found.bot_id, found.channel) == (channel.harness.bot_id, channel.manifest.name)
        assert found.address == channel.harness.address
        assert found.chat_key


async def test_what_a_button_carried_comes_back(channel: Channel) -> None:
    for data in ("1:a:1:2:3", "1:s:check_in", "é" * 32, "nonsense"):
        found = channel.parse(channel.harness.tapped(data))
        assert found is not None
        assert (found.kind, found.data, found.address) == (InputKind.BUTTON, data, channel.harness.address)


async def test_a_tap_is_acknowledged_without_a_word(channel: Channel) -> None:
    tapped = channel.parse(channel.harness.tapped("1:a:1"))
    assert tapped is not None
    for tap_ref in (tapped.tap_ref, None, "", "\x00", "9" * 5000):
        await channel.inbound.acknowledge(channel.harness.bot_id, replace(tapped, tap_ref=tap_ref))
    await channel.inbound.acknowledge(987_654_321, tapped)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
_QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _check(channel: Channel, payload: bytes) -> None:
    try:
        found = channel.parse(payload)
    except UnusableUpdateError:
        return
    if found is not None:
        assert found.address
        assert found.chat_key
        assert found.channel == channel.manifest.name
        assert all(isinstance(text, str) for text in (found.text, found.display_name))


async def test_no_bytes_break_the_reader(channel: Channel) -> None:
    @_QUICK
    @given(st.binary(max_size=300) | _JSON.map(lambda value: json.dumps(value).encode()))
    def fuzz(payload: bytes) -> None:
        _check(channel, payload)

    fuzz()
    for payload in (b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"9" * 5000, b"NaN"):
        _check(channel, payload)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, child in inner for found in _paths(child, (*path, key)))]


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.deepcopy(value)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = new
    return changed


async def test_no_field_of_a_real_update_breaks_the_reader(channel: Channel) -> None:
    originals = [json.loads(channel.harness.said("hello")), json.loads(channel.harness.tapped("1:a:1"))]

    @_QUICK
    @given(st.data(), st.sampled_from(originals), _JSON)
    def fuzz(data: st.DataObject, original: Any, value: Any) -> None:
        path = data.draw(st.sampled_from(_paths(original)))
        _check(channel, json.dumps(_with(original, path, value)).encode())

    fuzz()
