"""Acts that make pending points spendable, and the events that tell of them."""

from crm.events.catalogue import OrderPlaced
from crm.events.types import Event
from crm.points.starting import Act

EVENTS: dict[Act, type[Event]] = {Act.ORDER: OrderPlaced}
ACTED = "points.acted"
"""The subscriber to whom they go, once some rule has ever waited for one."""


def act_of(kind: str) -> Act | None:
    """The act that an event of this kind tells of."""
    return next((act for act, event in EVENTS.items() if event.kind == kind), None)
