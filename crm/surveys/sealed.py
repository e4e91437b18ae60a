"""Sealed columns of surveys."""

from crm.db.sealed import Sealed
from crm.surveys.models import AnswerRow
from crm.surveys.repository import TEXT

text = Sealed(AnswerRow, "text_sealed", f"{TEXT}:{{response_id}}:{{question}}")
