"""How a member's phone and e-mail address are kept: sealed, beside the indexes that they are found by."""

from typing import Any

from crm.kit.crypto import Vault
from crm.members import policy
from crm.members.repository import EMAIL, PHONE, PHONE_TAIL


def phone_columns(safe: Vault, member_id: int, phone: str | None) -> dict[str, Any]:
    """Columns of a normalised phone; None empties them."""
    return {
        "phone_sealed": safe.seal(phone, f"{PHONE}:{member_id}") if phone else None,
        "phone_index": safe.blind_index(phone, PHONE) if phone else None,
        "phone_tail_index": safe.blind_index(policy.phone_tail(phone), PHONE_TAIL) if phone else None,
    }


def email_columns(safe: Vault, member_id: int, email: str | None) -> dict[str, Any]:
    """Columns of a normalised e-mail address; None empties them."""
    return {
        "email_sealed": safe.seal(email, f"{EMAIL}:{member_id}") if email else None,
        "email_index": safe.blind_index(email, EMAIL) if email else None,
    }
