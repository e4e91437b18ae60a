"""Sealed columns of the web chat."""

from crm.db.sealed import Sealed
from crm.webchat.bodies import BODY
from crm.webchat.models import ChatMessageRow

body = Sealed(ChatMessageRow, "body", f"{BODY}:{{id}}")
