"""sendMessage and what all sending methods share."""

from bot.channels.telegram.simulator.entities.text import formatted
from bot.channels.telegram.simulator.entities.utf16 import utf16_length
from bot.channels.telegram.simulator.errors import bad_request
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.markup import checked_markup, inline_only
from bot.channels.telegram.simulator.world.dialogs import Message

from .call import Call, Target, pace, sending_target

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024


async def send_message(call: Call) -> Json:
    """Send a text."""
    target = sending_target(call)
    content = text_content(call)
    markup = read_markup(call, target)
    pace(call, target)
    return post(call, target, content, markup).body


def text_content(call: Call) -> Json:
    """The text of a call with its entities; raises a 400 when empty or too long."""
    text, entities = formatted(call.parameters, "text", "entities")
    if not text:
        raise bad_request("message text is empty")
    if utf16_length(text) > LONGEST_TEXT:
        raise bad_request("message is too long")
    return {"text": text, "entities": entities} if entities else {"text": text}


def caption_content(call: Call) -> Json:
    """The caption of a call with its entities, or nothing."""
    caption, entities = formatted(call.parameters, "caption", "caption_entities")
    if utf16_length(caption) > LONGEST_CAPTION:
        raise bad_request("message caption is too long")
    if not caption:
        return {}
    content: Json = {"caption": caption}
    return {**content, "caption_entities": entities} if entities else content


def read_markup(call: Call, target: Target) -> Json | None:
    """The reply markup of a call, checked."""
    return checked_markup(call.parameters.mapping("reply_markup"), is_private=target.is_private)


def post(call: Call, target: Target, content: Json, markup: Json | None) -> Message:
    """Put a message of the bot into a chat, and its keyboard before the person."""
    body: Json = {
        "message_id": 0,
        "from": call.bot.as_user(),
        "chat": target.chat,
        "date": call.world.now(),
        **_replied(call, target),
        **content,
    }
    inline = inline_only(markup)
    if inline:
        body["reply_markup"] = inline
    if call.parameters.flag("protect_content"):
        body["has_protected_content"] = True
    show_keyboard(target, markup)
    return call.world.record(target.dialog, body, bot_id=call.bot.id, markup=markup)


def show_keyboard(target: Target, markup: Json | None) -> None:
    """Show or remove the persistent keyboard under the person's text field."""
    if markup and "keyboard" in markup:
        target.dialog.keyboard = markup
    elif markup and markup.get("remove_keyboard"):
        target.dialog.keyboard = None


def _replied(call: Call, target: Target) -> Json:
    given = call.parameters.mapping("reply_parameters") or {}
    message_id = given.get("message_id") or call.parameters.integer("reply_to_message_id", 0)
    if not message_id:
        return {}
    message = call.world.find_message(target.dialog, message_id)
    if message is not None:
        body = {k: v for k, v in message.body.items() if k != "reply_to_message"}
        return {"reply_to_message": body}
    if given.get("allow_sending_without_reply"):
        return {}
    raise bad_request("message to be replied not found")
