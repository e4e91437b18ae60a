"""Changing and deleting what was sent."""

from bot.channels.telegram.simulator.errors import bad_request
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.markup import inline_only
from bot.channels.telegram.simulator.world.dialogs import Message

from .call import Call, Target, find_target, pace, sending_target
from .sending import caption_content, read_markup, text_content

_DELETABLE_SECONDS = 48 * 3600
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the "
    "same as a current content and reply markup of the message"
)


async def edit_message_text(call: Call) -> Json:
    """Put another text in place of a message's text."""
    target, message = _own_message(call)
    if "text" not in message.body:
        raise bad_request("there is no text in the message to edit")
    return _edit(call, target, message, text_content(call), ("text", "entities"))


async def edit_message_caption(call: Call) -> Json:
    """Put another caption below a picture or file."""
    target, message = _own_message(call)
    if "photo" not in message.body and "document" not in message.body:
        raise bad_request("there is no caption in the message to edit")
    return _edit(call, target, message, caption_content(call), ("caption", "caption_entities"))


async def edit_message_reply_markup(call: Call) -> Json:
    """Put another inline keyboard below a message, or none."""
    target, message = _own_message(call)
    return _edit(call, target, message, {}, ())


async def delete_message(call: Call) -> bool:
    """Delete a message for everyone; private chats allow it for 48 hours."""
    target = find_target(call)
    message = call.world.find_message(target.dialog, call.parameters.integer("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    is_old = call.world.now() - message.body["date"] >= _DELETABLE_SECONDS
    if is_old or (not target.is_private and message.bot_id != call.bot.id):
        raise bad_request("message can't be deleted for everyone")
    message.is_deleted = True
    call.world.change(target.dialog, message)
    return True


def _own_message(call: Call) -> tuple[Target, Message]:
    if call.parameters.has("inline_message_id"):
        raise bad_request("MESSAGE_ID_INVALID")
    target = sending_target(call)
    message = call.world.find_message(target.dialog, call.parameters.integer("message_id"))
    if message is None:
        raise bad_request("message to edit not found")
    if message.bot_id != call.bot.id:
        raise bad_request("message can't be edited")
    return target, message


def _edit(call: Call, target: Target, message: Message, content: Json, replaced: tuple[str, ...]) -> Json:
    inline = inline_only(read_markup(call, target))
    body = {k: v for k, v in message.body.items() if k not in {*replaced, "reply_markup"}}
    body |= content
    if inline:
        body["reply_markup"] = inline
    if body == message.body:
        raise bad_request(_NOT_MODIFIED)
    pace(call, target)
    message.earlier.append(message.body)
    message.body = {**body, "edit_date": call.world.now()}
    call.world.change(target.dialog, message)
    return message.body
