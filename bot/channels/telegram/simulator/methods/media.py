"""sendPhoto, sendDocument, sendMediaGroup and copyMessage."""

import secrets
from typing import Any

from bot.channels.telegram.simulator.errors import bad_request
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.parameters import Parameters, Upload
from bot.channels.telegram.simulator.world.files import StoredFile, described, file_id, unique_id_of
from bot.channels.telegram.simulator.world.pictures import image_size

from .call import Call, find_target, pace, sending_target
from .sending import caption_content, post, read_markup

LARGEST_PHOTO = 10 * 1024 * 1024
LARGEST_DOCUMENT = 50 * 1024 * 1024
_ALBUM_SIZES = range(2, 11)
_MOST_PIXELS_BOTH_SIDES = 10_000
_STEEPEST_RATIO = 20
_CONTENT_FIELDS = (
    "text",
    "entities",
    "photo",
    "document",
    "sticker",
    "contact",
    "location",
    "caption",
    "caption_entities",
)


async def send_photo(call: Call) -> Json:
    """Send a picture, uploaded or by file id."""
    return _send_file(call, "photo")


async def send_document(call: Call) -> Json:
    """Send a file, uploaded or by file id."""
    return _send_file(call, "document")


async def send_media_group(call: Call) -> list[Json]:
    """Send an album of two to ten pictures or files."""
    target = sending_target(call)
    items = call.parameters.sequence("media") or []
    if len(items) not in _ALBUM_SIZES:
        raise bad_request("invalid number of media: an album has 2 to 10 items")
    contents = [_album_item(call, item) for item in items]
    pace(call, target, weight=len(contents))
    album = str(secrets.randbelow(10**17))
    return [post(call, target, {"media_group_id": album, **content}, None).body for content in contents]


async def copy_message(call: Call) -> Json:
    """Send the content of a message again, without naming where it came from."""
    target = sending_target(call)
    source = find_target(call, "from_chat_id")
    message = call.world.find_message(source.dialog, call.parameters.integer("message_id"))
    if message is None:
        raise bad_request("message to copy not found")
    content = {name: message.body[name] for name in _CONTENT_FIELDS if name in message.body}
    if call.parameters.has("caption"):
        content.pop("caption_entities", None)
        content |= caption_content(call)
    markup = read_markup(call, target)
    pace(call, target)
    return {"message_id": post(call, target, content, markup).message_id}


def media_fields(bot_id: int, file: StoredFile) -> Json:
    """The part of a message that shows a file, with ids for one bot."""
    place: Json = {
        "file_id": file_id(bot_id, file),
        "file_unique_id": file.unique_id,
        "file_size": file.size,
    }
    if file.kind == "photo":
        return {"photo": [{**place, "width": file.width, "height": file.height}]}
    if file.kind == "sticker":
        shape = {"width": 512, "height": 512, "is_animated": False, "is_video": False}
        return {"sticker": {**place, "type": "regular", "emoji": file.name, **shape}}
    return {"document": {**place, "file_name": file.name, "mime_type": file.mime_type}}


def check_upload(upload: Upload, kind: str) -> StoredFile:
    """Describe an upload; raises the 400s of a file that is empty, too big or no picture."""
    if not upload.content:
        raise bad_request("file must be non-empty")
    if len(upload.content) > (LARGEST_PHOTO if kind == "photo" else LARGEST_DOCUMENT):
        raise bad_request(f"file is too big for a {kind}")
    if kind == "photo":
        size = image_size(upload.content)
        if size is None:
            raise bad_request("IMAGE_PROCESS_FAILED")
        if min(size) < 1 or sum(size) > _MOST_PIXELS_BOTH_SIDES or max(size) > _STEEPEST_RATIO * min(size):
            raise bad_request("PHOTO_INVALID_DIMENSIONS")
    return described(upload, kind)


def _send_file(call: Call, kind: str) -> Json:
    target = sending_target(call)
    content = {**_file_fields(call, call.parameters, kind, kind), **caption_content(call)}
    markup = read_markup(call, target)
    pace(call, target)
    return post(call, target, content, markup).body


def _album_item(call: Call, item: Any) -> Json:
    if not isinstance(item, dict) or item.get("type") not in {"photo", "document"}:
        raise bad_request("can't parse InputMedia: type must be photo or document")
    inner = Call(call.simulator, call.bot, Parameters(item, call.parameters.uploads))
    fields = _file_fields(call, inner.parameters, "media", item["type"])
    return {**fields, **caption_content(inner)}


def _file_fields(call: Call, parameters: Parameters, name: str, kind: str) -> Json:
    upload = parameters.uploads.get(name)
    given = "" if upload else parameters.text(name).strip()
    if given.startswith("attach://"):
        upload = parameters.uploads.get(given.removeprefix("attach://"))
        if upload is None:
            raise bad_request(f"there is no file named {given} in the request")
    if upload is not None:
        file = call.world.keep_file(check_upload(upload, kind), upload.content)
        return media_fields(call.bot.id, file)
    if not given:
        raise bad_request(f"there is no {kind} in the request")
    if given.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content: the simulator fetches nothing")
    file = call.world.file(unique_id_of(call.bot.id, given))
    if file.kind != kind:
        raise bad_request(f"can't use file of type {file.kind.title()} as {kind.title()}")
    return media_fields(call.bot.id, file)
