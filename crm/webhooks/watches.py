"""Webhooks that were disabled by themselves need an operator."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts.types import AlertKind, Finding
from crm.alerts.watching import watch
from crm.webhooks import service
from crm.webhooks.types import DisabledReason

_WORDS = {
    DisabledReason.FAILING: "The webhook {name} failed for a day and is disabled; mend it, enable it, replay.",
    DisabledReason.GONE: "The webhook {name} answered 410 Gone and is disabled; enable it, or remove it.",
}


@watch(AlertKind.WEBHOOK_DISABLED)
async def given_up(session: AsyncSession, _: frozenset[str]) -> list[Finding]:
    """The endpoint's id is the subject; the alert ends when it is enabled, removed or disabled by an operator."""
    return [
        Finding(str(item.id), _WORDS[item.disabled_reason].format(name=item.name))
        for item in await service.given_up(session)
        if item.disabled_reason is not None
    ]
