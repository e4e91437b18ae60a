"""answerCallbackQuery."""

from bot.channels.telegram.simulator.entities.utf16 import utf16_length
from bot.channels.telegram.simulator.errors import bad_request

from .call import Call

_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
_LONGEST_ANSWER = 200


async def answer_callback_query(call: Call) -> bool:
    """Answer a pressed button, with a short note or a box if a text is given."""
    parameters = call.parameters
    query = call.world.callbacks.get(parameters.text("callback_query_id"))
    oldest = call.simulator.config.clock() - call.simulator.config.callback_expiry_seconds
    if query is None or query.bot_id != call.bot.id or query.asked_at <= oldest:
        raise bad_request(_TOO_OLD)
    text = parameters.text("text")
    if utf16_length(text) > _LONGEST_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    query.answer = {
        "text": text,
        "show_alert": parameters.flag("show_alert"),
        "url": parameters.text("url"),
    }
    call.world.store.put("callback", query.id, query)
    dialog = call.world.dialog(call.bot.id, query.chat_id)
    event = {"type": "callback_answer", "callback_query_id": query.id, "answer": query.answer}
    call.world.announce({**event, "person_id": query.person_id}, dialog)
    return True
