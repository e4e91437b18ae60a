"""The safe mode after a restore, and the last backup."""

from datetime import datetime

from pydantic import BaseModel

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from crm.deliveries import restored
from crm.operators.permissions import Permission
from crm.recovery import service
from crm.recovery.types import SafeMode

router = api_router("/api/v1/recovery", "Recovery")


class SafeModeView(BaseModel):
    """Nothing is sent since `started_at`; the data is that of a backup made at `backup_made_at`."""

    started_at: datetime
    backup_made_at: datetime


class BackupView(BaseModel):
    """A backup that was written to its end."""

    made_at: datetime
    name: str
    size: int
    sha256: str


class RecoveryView(BaseModel):
    """The safe mode when it is on, and the last backup if there was one."""

    safe_mode: SafeModeView | None
    last_backup: BackupView | None


class ResumedView(BaseModel):
    """How many answers and messages of broadcasts the backup held open; they are uncertain now."""

    replies: int
    bulk: int


@router.get("", dependencies=[allow(Permission.DATA_READ)], name="recovery.read", summary="Is Siyu in safe mode?")
async def read_recovery(edge: EdgeOf) -> RecoveryView:
    """In safe mode Siyu answers new messages and sends nothing else."""
    safe_mode, backup = await service.current(edge.session), await service.last_backup(edge.session)
    return RecoveryView(
        safe_mode=None if safe_mode is None else SafeModeView(**_chosen(safe_mode)),
        last_backup=None if backup is None else BackupView(**vars(backup)),
    )


def _chosen(safe_mode: SafeMode) -> dict[str, datetime]:
    return {"started_at": safe_mode.started_at, "backup_made_at": safe_mode.backup_made_at}


@router.post(
    "/resume-sending",
    dependencies=[allow(Permission.SENDING_RESUME)],
    name="sending.resume",
    summary="End the safe mode",
)
async def resume_sending(edge: EdgeOf) -> ResumedView:
    """Everything new is sent from now on; what the backup held open becomes uncertain, for an operator to decide."""
    held = await restored.resume_sending(edge.session, by=edge.acting.actor)
    edge.note("sending.resume", "sending", after=vars(held))
    return ResumedView(**vars(held))
