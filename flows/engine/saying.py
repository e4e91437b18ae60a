"""Saying something: its text, its buttons, the persistent menu."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from crm.messages.content import reduced
from crm.messages.types import Button
from flows.engine.buttons import start_data
from flows.engine.flow import Link, Opens
from flows.engine.reading import label_in
from flows.engine.registry import Flows
from flows.engine.turn import Turn, as_outbound


@dataclass(frozen=True)
class Saying:
    """What a flow says."""

    template: str
    values: Mapping[str, Any]
    photo: UUID | None = None
    buttons: Sequence[Sequence[Opens | Link]] = ()
    menu: Sequence[Sequence[str]] | None = None


async def utter(turn: Turn, flows: Flows, saying: Saying) -> None:
    """Add it to what this turn says."""
    rendered = await turn.render(saying.template, **saying.values)
    message = as_outbound(rendered)
    rows = tuple(tuple(_button(item, rendered.labels, turn.locale) for item in row) for row in saying.buttons)
    menu = message.menu
    if saying.menu is not None:
        menu = tuple(tuple(flows.menu_label(name, turn.locale) for name in row) for row in saying.menu)
    photo = saying.photo or message.photo_media_id
    message = replace(message, buttons=message.buttons + rows, photo_media_id=photo, menu=menu)
    turn.said.append(reduced(message, turn.traits))


def _button(item: Opens | Link, labels: Mapping[str, str], locale: str) -> Button:
    label = label_in(item.label, locale) or labels.get(item.name) or item.name
    if isinstance(item, Link):
        return Button(label, url=item.url)
    return Button(label, data=start_data(item.name, item.argument))
