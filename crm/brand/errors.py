"""What can be wrong with a change to the brand."""

from crm.kit.errors import InvalidError


class UnknownTimeZoneError(InvalidError):
    """This is no IANA time zone; use a name such as Asia/Shanghai."""


class UnknownCurrencyError(InvalidError):
    """This is no ISO 4217 currency; use a code such as CNY."""


class UnknownLocaleError(InvalidError):
    """Siyu speaks zh-CN and en; choose one or both, the default among them."""


class InvalidOriginError(InvalidError):
    """An origin looks like https://shop.example, without a path."""


class InvalidBrandError(InvalidError):
    """The brand's settings do not fit together."""
