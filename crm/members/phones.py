"""Phone numbers as they are stored; apart from other decisions, for the numbering plans of all countries are large."""

import phonenumbers

from crm.members.errors import InvalidPhone

_MAX_PHONE = 40


def normal_phone(phone: str, region: str | None) -> str:
    """`phone` in E.164, such as `+8613800138000`. Raises InvalidPhone."""
    if len(phone) > _MAX_PHONE:
        raise InvalidPhone
    try:
        parsed = phonenumbers.parse(phone.strip(), region)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhone from error
    if not phonenumbers.is_valid_number(parsed):
        raise InvalidPhone
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
