"""Public values of alerts: their kinds, and how serious each is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    """How soon somebody should look."""

    WARNING = "warning"
    CRITICAL = "critical"


class AlertKind(StrEnum):
    """What can be wrong; the subject beside it says with which thing (`3` of a bot, `worker` of a process)."""

    BOT_REFUSED = "bot_refused"
    BOT_PAUSED = "bot_paused"
    SECOND_POLLER = "second_poller"
    CAMPAIGN_PAUSED = "campaign_paused"
    FLOW_TEXT_BROKEN = "flow_text_broken"
    DEAD_LETTERS = "dead_letters"
    WEBHOOK_DISABLED = "webhook_disabled"
    PROCESS_SILENT = "process_silent"
    SAFE_MODE = "safe_mode"
    EARNING_FORMULA_FAILED = "earning_formula_failed"


SEVERITIES: dict[AlertKind, Severity] = {
    AlertKind.BOT_REFUSED: Severity.CRITICAL,
    AlertKind.BOT_PAUSED: Severity.WARNING,
    AlertKind.SECOND_POLLER: Severity.CRITICAL,
    AlertKind.CAMPAIGN_PAUSED: Severity.WARNING,
    AlertKind.FLOW_TEXT_BROKEN: Severity.WARNING,
    AlertKind.DEAD_LETTERS: Severity.WARNING,
    AlertKind.WEBHOOK_DISABLED: Severity.WARNING,
    AlertKind.PROCESS_SILENT: Severity.CRITICAL,
    AlertKind.SAFE_MODE: Severity.CRITICAL,
    AlertKind.EARNING_FORMULA_FAILED: Severity.WARNING,
}


@dataclass(frozen=True)
class Alert:
    """Something that is or was wrong; at most one is open per kind and subject."""

    id: int
    kind: str
    subject: str
    severity: Severity
    detail: str
    times: int
    """How often it was noticed while open; notices within ten seconds count once."""
    opened_at: datetime
    last_seen_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None


@dataclass(frozen=True)
class Finding:
    """What a watch found wrong now; `detail` is one English sentence without personal data."""

    subject: str
    detail: str
