"""Sealed columns of deliveries."""

from crm.db.sealed import Sealed
from crm.deliveries.models import ReplyRow
from crm.deliveries.outbox import BODY

body = Sealed(ReplyRow, "body", f"{BODY}:{{delivery_id}}")
