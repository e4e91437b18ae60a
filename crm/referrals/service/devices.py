"""Devices that members were seen on, known by a keyed digest alone."""

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.kit.crypto import Vault
from crm.referrals.models import DeviceRow

_PURPOSE = "referrals.device"


def fingerprint(vault: Vault, network: str, agent: str) -> str:
    """A digest in hex of a network address and what a browser calls itself; without the secret it says nothing."""
    return vault.blind_index(f"{network}\n{agent}", _PURPOSE).hex()


async def note(session: AsyncSession, member_id: int, mark: str) -> None:
    """The member was seen on the device with this fingerprint."""
    values = {"member_id": member_id, "fingerprint": bytes.fromhex(mark), "seen_at": await clock.now(session)}
    seen = upsert(DeviceRow).values(values)
    await session.execute(
        seen.on_conflict_do_update(index_elements=["member_id", "fingerprint"], set_={"seen_at": seen.excluded.seen_at})
    )
