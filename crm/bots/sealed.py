"""Sealed columns of bots."""

from crm.bots.models import BotRow
from crm.bots.service import PATH, SECRET, TOKEN
from crm.db.sealed import BlindIndex, Sealed

token = Sealed(BotRow, "token_sealed", f"{TOKEN}:{{id}}", (BlindIndex("token_index", TOKEN),))
path = Sealed(BotRow, "path_sealed", f"{PATH}:{{id}}", (BlindIndex("path_index", PATH),))
webhook_secret = Sealed(BotRow, "webhook_secret_sealed", f"{SECRET}:{{id}}")
