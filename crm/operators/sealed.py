"""Sealed columns of operators, their links and the answers kept for repeated requests."""

from crm.db.sealed import BlindIndex, Sealed
from crm.operators.idempotency import RESPONSE
from crm.operators.models import IdempotencyRow, LinkRow, OperatorRow
from crm.operators.records import EMAIL, LINK_EMAIL

email = Sealed(OperatorRow, "email_sealed", f"{EMAIL}:{{id}}", (BlindIndex("email_index", EMAIL),))
link_email = Sealed(LinkRow, "email_sealed", f"{LINK_EMAIL}:{{id}}")
response = Sealed(IdempotencyRow, "response_sealed", f"{RESPONSE}:{{principal}}:{{key}}")
