"""The methods by their names; the real server does not look at upper and lower case either."""

from collections.abc import Awaitable, Callable
from typing import Any

from . import callbacks, chats, editing, media, profile, sending, updates
from .call import Call

Method = Callable[[Call], Awaitable[Any]]

_NAMED: dict[str, Method] = {
    "answerCallbackQuery": callbacks.answer_callback_query,
    "close": profile.close,
    "copyMessage": media.copy_message,
    "deleteMessage": editing.delete_message,
    "deleteMyCommands": profile.delete_my_commands,
    "deleteWebhook": updates.delete_webhook,
    "editMessageCaption": editing.edit_message_caption,
    "editMessageReplyMarkup": editing.edit_message_reply_markup,
    "editMessageText": editing.edit_message_text,
    "getChat": chats.get_chat,
    "getChatMenuButton": profile.get_chat_menu_button,
    "getFile": chats.get_file,
    "getMe": profile.get_me,
    "getMyCommands": profile.get_my_commands,
    "getMyDescription": profile.get_my_description,
    "getMyName": profile.get_my_name,
    "getMyShortDescription": profile.get_my_short_description,
    "getUpdates": updates.get_updates,
    "getWebhookInfo": updates.get_webhook_info,
    "leaveChat": chats.leave_chat,
    "logOut": profile.log_out,
    "sendChatAction": chats.send_chat_action,
    "sendDocument": media.send_document,
    "sendMediaGroup": media.send_media_group,
    "sendMessage": sending.send_message,
    "sendPhoto": media.send_photo,
    "setChatMenuButton": profile.set_chat_menu_button,
    "setMyCommands": profile.set_my_commands,
    "setMyDescription": profile.set_my_description,
    "setMyName": profile.set_my_name,
    "setMyShortDescription": profile.set_my_short_description,
    "setWebhook": updates.set_webhook,
}
METHODS: dict[str, Method] = {name.lower(): method for name, method in _NAMED.items()}
