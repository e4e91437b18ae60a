"""What `chat.ask` can ask for as typed text or something shared; choices are in `flows.engine.choices`."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Generic, TypeVar

import phonenumbers

from crm.messages.types import Request
from flows.engine.inputs import Input, InputKind
from flows.engine.reading import Answer, OpenQuestion, Reading, Refused, Shape

T = TypeVar("T")


class Question(Generic[T]):
    """What is asked for: how an input is read, and how the answer is kept in the journal.

    Subclasses are frozen dataclasses. `read` raises Refused with the hint that is shown before asking again.
    """

    request: ClassVar[Request | None] = None
    wants_text: ClassVar[bool] = True
    """False where no keyword could be an answer, such as for a date: keywords start their flows then."""

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """The answer in `given`. Raises Refused."""
        raise NotImplementedError

    def shape(self, locale: str) -> Shape:
        """What the question shows beside its text."""
        del locale
        return Shape(request=self.request, wants_text=self.wants_text)

    def dump(self, answer: T) -> Any:
        """`answer` as a JSON value."""
        return answer

    def load(self, value: Any) -> T:
        """The answer that `dump` wrote, checked again. Raises Refused if it no longer is one."""
        raise NotImplementedError


def typed_text(given: Input) -> str:
    """The text of `given`, trimmed. Raises Refused if something else was sent."""
    if given.kind is not InputKind.TEXT or not given.text.strip():
        raise Refused("text_expected")
    return given.text.strip()


@dataclass(frozen=True)
class Text(Question[str]):
    """Free text of `min_length` to `max_length` characters."""

    max_length: int = 1000
    min_length: int = 1

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """The trimmed text. Raises Refused."""
        del asked, locale
        return Answer(self.load(typed_text(given)))

    def load(self, value: Any) -> str:
        """The text, if its length is right. Raises Refused."""
        text = str(value)
        if len(text) > self.max_length:
            raise Refused("too_long", maximum=self.max_length)
        if len(text) < self.min_length:
            raise Refused("too_short", minimum=self.min_length)
        return text


@dataclass(frozen=True)
class Number(Question[Decimal]):
    """A number, whole unless `is_whole` is False, from `minimum` to `maximum`."""

    wants_text: ClassVar[bool] = False
    minimum: int | None = None
    maximum: int | None = None
    is_whole: bool = True

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """The number; full-width digits and thousands separators are understood. Raises Refused."""
        del asked, locale
        return Answer(self.load(typed_text(given).replace(",", "").replace("，", "")))

    def dump(self, answer: Decimal) -> str:
        """Digits."""
        return str(answer)

    def load(self, value: Any) -> Decimal:
        """The number, if it is in range. Raises Refused."""
        try:
            number = Decimal(str(value))
        except InvalidOperation as error:
            raise Refused("number_expected") from error
        if not number.is_finite() or (self.is_whole and number != number.to_integral_value()):
            raise Refused("number_expected")
        is_low = self.minimum is not None and number < self.minimum
        is_high = self.maximum is not None and number > self.maximum
        if is_low or is_high:
            raise Refused("number_range", minimum=self.minimum, maximum=self.maximum)
        return number


_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")


@dataclass(frozen=True)
class Date(Question[date]):
    """A day as 1990-05-01, 1990/5/1, 19900501 or 1990年5月1日, from `earliest` to `latest`."""

    wants_text: ClassVar[bool] = False
    earliest: date | None = None
    latest: date | None = None

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """The day. Raises Refused."""
        del asked, locale
        text = typed_text(given)
        found = _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text)
        if found is None:
            raise Refused("date_expected")
        year, month, day = (int(part) for part in found.groups())
        return Answer(self.load(f"{year:04}-{month:02}-{day:02}"))

    def dump(self, answer: date) -> str:
        """ISO 8601."""
        return answer.isoformat()

    def load(self, value: Any) -> date:
        """The day, if it exists and is in range. Raises Refused."""
        try:
            day = date.fromisoformat(str(value))
        except ValueError as error:
            raise Refused("date_expected") from error
        is_early = self.earliest is not None and day < self.earliest
        if is_early or (self.latest is not None and day > self.latest):
            raise Refused("date_range", earliest=self.earliest, latest=self.latest)
        return day


@dataclass(frozen=True)
class PhoneNumber:
    """A phone number in E.164 form; verified if the channel proves that it is the member's own."""

    number: str
    is_verified: bool


_REGIONS = {"zh-CN": "CN"}


@dataclass(frozen=True)
class Phone(Question[PhoneNumber]):
    """A phone number, typed or shared as the member's own contact card; `region` reads numbers without a +."""

    wants_text: ClassVar[bool] = False
    region: str | None = None
    can_type: bool = True
    request: ClassVar[Request | None] = Request.CONTACT

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """The number; someone else's card is refused. Raises Refused."""
        del asked
        region = self.region or _REGIONS.get(locale)
        if given.kind is InputKind.CONTACT:
            if not given.is_own_phone:
                raise Refused("contact_of_someone_else")
            shared = given.phone or ""
            return Answer(PhoneNumber(_e164(shared if shared.startswith("+") else f"+{shared}", None), True))
        if not self.can_type:
            raise Refused("contact_expected")
        return Answer(PhoneNumber(_e164(typed_text(given), region), False))

    def dump(self, answer: PhoneNumber) -> list[Any]:
        """[number, is verified]."""
        return [answer.number, answer.is_verified]

    def load(self, value: Any) -> PhoneNumber:
        """The number. Raises Refused."""
        match value:
            case [str(number), bool(is_verified)]:
                return PhoneNumber(number, is_verified)
        raise Refused("phone_expected")


@dataclass(frozen=True)
class Contact(Phone):
    """The member's own contact card, shared: the only way to a verified phone number."""

    can_type: bool = False


def _e164(text: str, region: str | None) -> str:
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise Refused("phone_expected") from error
    if not phonenumbers.is_valid_number(parsed):
        raise Refused("phone_expected")
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


@dataclass(frozen=True)
class Place:
    """Degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class Location(Question[Place]):
    """A shared location."""

    wants_text: ClassVar[bool] = False
    request: ClassVar[Request | None] = Request.LOCATION

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """The place. Raises Refused."""
        del asked, locale
        return Answer(self.load([given.latitude, given.longitude]))

    def dump(self, answer: Place) -> list[float]:
        """[latitude, longitude]."""
        return [answer.latitude, answer.longitude]

    def load(self, value: Any) -> Place:
        """The place. Raises Refused."""
        match value:
            case [int() | float() as latitude, int() | float() as longitude]:
                return Place(float(latitude), float(longitude))
        raise Refused("location_expected")


@dataclass(frozen=True)
class Photo(Question[str]):
    """A picture; the answer is the channel's own reference of it."""

    wants_text: ClassVar[bool] = False

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """The reference. Raises Refused."""
        del asked, locale
        return Answer(self.load(given.photo))

    def load(self, value: Any) -> str:
        """The reference. Raises Refused."""
        if not isinstance(value, str) or not value:
            raise Refused("photo_expected")
        return value
