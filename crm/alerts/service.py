"""Raising, resolving, reading and acknowledging alerts. Anybody above may raise one, in the caller's transaction."""

from collections.abc import Iterable

from sqlalchemy import CursorResult, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts.errors import AlertNotFound, AlertResolved
from crm.alerts.models import AlertRow
from crm.alerts.types import SEVERITIES, Alert, AlertKind, Severity
from crm.db import clock
from crm.events import catalogue
from crm.events.service import publish
from crm.kit.text import clean_text

MAX_DETAIL = 500
MAX_SUBJECT = 200
_FRESH = text("""
SELECT EXISTS (
    SELECT FROM alerts WHERE kind = :kind AND subject = :subject AND resolved_at IS NULL
    AND last_seen_at > siyu_now() - interval '10 seconds'
)
""")
_RAISE = text("""
INSERT INTO alerts (kind, subject, severity, detail, opened_at, last_seen_at)
VALUES (:kind, :subject, :severity, :detail, siyu_now(), siyu_now())
ON CONFLICT (kind, subject) WHERE resolved_at IS NULL
DO UPDATE SET last_seen_at = siyu_now(), times = alerts.times + 1, detail = excluded.detail
RETURNING id, xmax = 0 AS is_new
""")


async def raise_alert(session: AsyncSession, kind: AlertKind, subject: str, detail: str) -> None:
    """Open the alert, or note that it is still so; the first time it is announced as an event.

    `subject` names the thing within the kind (`3`, `worker`, `check_in/done`); `detail` is one English sentence that
    says what is wrong and what to do, without personal data.
    """
    values = {"kind": kind.value, "subject": subject[:MAX_SUBJECT]}
    # Only looked at first, so that transactions which meet the same trouble do not wait for one another's row.
    if (await session.execute(_FRESH, values)).scalar_one():
        return
    told = {"severity": SEVERITIES[kind].value, "detail": clean_text(detail)[:MAX_DETAIL]}
    row = (await session.execute(_RAISE, {**values, **told})).one()
    if row.is_new:
        await publish(
            session,
            catalogue.AlertRaised(member_id=None, alert_id=row.id, alert=kind.value, subject=values["subject"], **told),
        )


async def resolve(session: AsyncSession, kind: AlertKind, subject: str) -> bool:
    """The cause ended; False when no such alert was open."""
    change = (
        update(AlertRow)
        .where(AlertRow.kind == kind.value, AlertRow.subject == subject[:MAX_SUBJECT], AlertRow.resolved_at.is_(None))
        .values(resolved_at=func.siyu_now())
        .returning(AlertRow.id)
    )
    alert_id = (await session.execute(change)).scalar_one_or_none()
    if alert_id is None:
        return False
    await publish(
        session, catalogue.AlertResolved(member_id=None, alert_id=alert_id, alert=kind.value, subject=subject)
    )
    return True


async def listing(
    session: AsyncSession, *, is_open: bool = True, before_id: int | None = None, limit: int = 50
) -> list[Alert]:
    """Open or resolved alerts, newest first."""
    wanted = AlertRow.resolved_at.is_(None) if is_open else AlertRow.resolved_at.is_not(None)
    query = select(AlertRow).where(wanted).order_by(AlertRow.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(AlertRow.id < before_id)
    return [_alert(row) for row in await session.scalars(query)]


async def open_subjects(session: AsyncSession, kind: AlertKind) -> frozenset[str]:
    """The subjects of the open alerts of a kind."""
    query = select(AlertRow.subject).where(AlertRow.kind == kind.value, AlertRow.resolved_at.is_(None))
    return frozenset(await session.scalars(query))


async def count_open(session: AsyncSession) -> int:
    """How many alerts are open that nobody has acknowledged."""
    query = select(func.count()).where(AlertRow.resolved_at.is_(None), AlertRow.acknowledged_at.is_(None))
    return (await session.execute(query)).scalar_one()


async def open_by_kind(session: AsyncSession) -> dict[str, int]:
    """How many alerts are open, by kind."""
    number = func.count().label("number")
    query = select(AlertRow.kind, number).where(AlertRow.resolved_at.is_(None)).group_by(AlertRow.kind)
    return {row.kind: row.number for row in await session.execute(query)}


async def get(session: AsyncSession, alert_id: int) -> Alert:
    """One alert. Raises AlertNotFound."""
    row = await session.get(AlertRow, alert_id, populate_existing=True)
    if row is None:
        raise AlertNotFound(alert_id=alert_id)
    return _alert(row)


async def acknowledge(session: AsyncSession, alert_id: int, by: str) -> Alert:
    """Somebody looks after it: it stays open, but no longer counts at the bell.

    The first one who did so stays named. Raises AlertNotFound, AlertResolved.
    """
    free = (AlertRow.id == alert_id, AlertRow.resolved_at.is_(None), AlertRow.acknowledged_at.is_(None))
    news = {"acknowledged_at": await clock.now(session), "acknowledged_by": by[:MAX_SUBJECT]}
    changed = await session.execute(update(AlertRow).where(*free).values(news))
    found = await get(session, alert_id)
    assert isinstance(changed, CursorResult)
    if not changed.rowcount and found.resolved_at is not None:
        raise AlertResolved(alert_id=alert_id)
    return found


async def settle(session: AsyncSession, kind: AlertKind, still: Iterable[str]) -> int:
    """Resolve the open alerts of a kind whose subject is not among `still`; answers how many."""
    over = await open_subjects(session, kind) - {subject[:MAX_SUBJECT] for subject in still}
    for subject in sorted(over):
        await resolve(session, kind, subject)
    return len(over)


def _alert(row: AlertRow) -> Alert:
    return Alert(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        severity=Severity(row.severity),
        detail=row.detail,
        times=row.times,
        opened_at=row.opened_at,
        last_seen_at=row.last_seen_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        resolved_at=row.resolved_at,
    )
