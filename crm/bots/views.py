"""What set-based SQL of other capabilities may read of bots."""

from sqlalchemy import select

from crm.bots.models import BotRow

bots = select(
    BotRow.id, BotRow.channel, BotRow.status, BotRow.is_demo, BotRow.bulk_rate, BotRow.bulk_paused_until
).subquery("bots_view")
"""id, channel, status, is_demo, bulk_rate, bulk_paused_until."""
