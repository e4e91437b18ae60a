"""What the parts of the web chat share in one process."""

from dataclasses import dataclass

from bot.channels.contract import ChannelContext, Intake
from crm.db.session import Sessions, vault
from crm.kit.crypto import Vault
from flows.engine.registry import Flows, discover
from flows.menu import MENU

from .courtesy import Courtesy
from .hub import Hub
from .limits import Counters, Limits


@dataclass(frozen=True)
class Desk:
    """Everything that serving visitors needs."""

    sessions: Sessions
    intake: Intake
    vault: Vault
    hub: Hub
    counters: Counters
    limits: Limits
    flows: Flows
    public_url: str | None

    def menu(self, labels: tuple[str, ...] | None, locale: str) -> tuple[str, ...]:
        """The labels of the persistent menu in this language; before there was one, the shipped menu."""
        if labels is None:
            return tuple(self.flows.menu_label(name, locale) for row in MENU for name in row)
        return tuple(self.flows.menu_in(label, locale) for label in labels)


def open_desk(context: ChannelContext, limits: Limits | None = None) -> Desk:
    """The desk of a process that receives."""
    assert context.intake is not None, "the web chat's pages are served by processes that receive"
    bounds = limits or Limits()
    public_url = context.settings.public.url
    courtesy = Courtesy(context.valkey)
    return Desk(
        sessions=context.sessions,
        intake=context.intake,
        vault=vault(context.sessions()),
        hub=Hub(context.sessions, courtesy, bounds),
        counters=Counters(courtesy),
        limits=bounds,
        flows=discover(),
        public_url=str(public_url) if public_url else None,
    )
