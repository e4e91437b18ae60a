"""getChat, sendChatAction, getFile and leaving groups."""

from bot.channels.telegram.simulator.errors import bad_request
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.world.files import file_id, unique_id_of

from .call import Call, find_target, sending_target

LARGEST_DOWNLOAD = 20 * 1024 * 1024
_ACTIONS = {
    "typing",
    "upload_photo",
    "record_video",
    "upload_video",
    "record_voice",
    "upload_voice",
    "upload_document",
    "choose_sticker",
    "find_location",
    "record_video_note",
    "upload_video_note",
}


async def get_chat(call: Call) -> Json:
    """Describe a chat in full."""
    target = find_target(call)
    if target.is_private and not target.dialog.is_started:
        raise bad_request("chat not found")
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
    accepted = dict.fromkeys((*gifts, "gifts_from_channels"), False)
    fixed: Json = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": accepted}
    return {**target.chat, **fixed}


async def send_chat_action(call: Call) -> bool:
    """Show for a few seconds that the bot is busy."""
    target = sending_target(call)
    action = call.parameters.text("action")
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    call.world.announce({"type": "action", "action": action}, target.dialog)
    return True


async def leave_chat(call: Call) -> bool:
    """Leave a group."""
    target = sending_target(call)
    if target.is_private:
        raise bad_request("chat member status can't be changed in private chats")
    group = call.world.groups[target.dialog.chat_id]
    group.bot_ids.remove(call.bot.id)
    call.world.add_group(group)
    return True


async def get_file(call: Call) -> Json:
    """Say under which path a file can be downloaded."""
    given = call.parameters.text("file_id")
    if not given:
        raise bad_request("file_id not specified")
    file = call.world.file(unique_id_of(call.bot.id, given))
    if file.size > LARGEST_DOWNLOAD:
        raise bad_request("file is too big")
    return {
        "file_id": file_id(call.bot.id, file),
        "file_unique_id": file.unique_id,
        "file_size": file.size,
        "file_path": file.path,
    }
