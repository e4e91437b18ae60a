"""Sealed columns of members, and of what merging them kept."""

from crm.db.sealed import BlindIndex, Sealed
from crm.members.merging import RECORDS
from crm.members.models import MemberRow, MergeRow
from crm.members.policy import phone_tail
from crm.members.repository import EMAIL, PERSONAL, PHONE, PHONE_TAIL

phone = Sealed(
    MemberRow,
    "phone_sealed",
    f"{PHONE}:{{id}}",
    (BlindIndex("phone_index", PHONE), BlindIndex("phone_tail_index", PHONE_TAIL, phone_tail)),
)
email = Sealed(MemberRow, "email_sealed", f"{EMAIL}:{{id}}", (BlindIndex("email_index", EMAIL),))
personal = Sealed(MemberRow, "personal_sealed", f"{PERSONAL}:{{id}}")
merges = Sealed(MergeRow, "records_sealed", f"{RECORDS}:{{keep_id}}:{{drop_id}}")
