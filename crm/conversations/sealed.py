"""Sealed columns of conversations."""

from crm.conversations import journal, service, wakes
from crm.conversations.models import JournalRow, MessageRow, WakeRow
from crm.db.sealed import Sealed

body = Sealed(MessageRow, "body", f"{service.BODY}:{{id}}")
journal_value = Sealed(JournalRow, "value", f"{journal.VALUE}:{{conversation_id}}:{{run}}:{{path}}:{{occurrence}}")
wake_value = Sealed(WakeRow, "value", f"{wakes.VALUE}:{{conversation_id}}:{{run}}:{{step}}")
