"""Pure decisions about coupons: codes, bounds, discounts, what may be combined."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from math import log2

from crm.coupons.errors import InvalidCodes, InvalidCoupon, SpendTooLittle, VouchersDoNotCombine
from crm.coupons.types import CodeSource, CouponKind, NewCoupon, Stacking, Terms
from crm.kit.localized import clean_names, clean_texts
from crm.kit.text import clean_text

DEFAULT_PATTERN = "****-****-**"
DIGITS, LETTERS = "23456789", "ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without those that are taken for one another: 0 O, 1 I L."""
ALPHABETS = {"#": DIGITS, "@": LETTERS, "*": DIGITS + LETTERS}
LEAST_BITS = 32
"""Of chance in a generated code: one guess in four thousand million, behind a throttle."""
MAX_CODE, MAX_CODES = 40, 100_000
MAX_MONEY = Decimal(1_000_000)
MAX_COUNT = 1_000_000_000
MAX_DAYS = 3650
_CODE = re.compile(r"[A-Z0-9]{4,40}")
_SHOWN_FAULTS = 20
_CENT = Decimal("0.01")
_MAX_DESCRIPTION = 500


def normal(code: str) -> str:
    """`code` as it is compared: capitals and digits only, so that spaces, dashes and small letters do not matter."""
    return re.sub(r"[\s\-_.]+", "", clean_text(code)).upper()


def is_code(code: str) -> bool:
    """Whether a normal code could be one at all."""
    return _CODE.fullmatch(code) is not None


def generate(pattern: str) -> str:
    """A code by `pattern`, from the system's randomness."""
    return "".join(secrets.choice(ALPHABETS[place]) if place in ALPHABETS else place for place in pattern)


def check_pattern(pattern: str) -> str:
    """`pattern` in capitals when its codes can be read and cannot be guessed. Raises InvalidCoupon."""
    pattern = pattern.strip().upper()
    bits = sum(log2(len(ALPHABETS[place])) for place in pattern if place in ALPHABETS)
    literals = "".join(place for place in pattern if place not in ALPHABETS)
    if len(pattern) > MAX_CODE or re.fullmatch(r"[A-Z0-9-]*", literals) is None:
        raise InvalidCoupon(f"a pattern has at most {MAX_CODE} places: # @ * letters digits and dashes", path="pattern")
    if bits < LEAST_BITS:
        raise InvalidCoupon("codes of this pattern could be guessed: use at least 7 of * or 11 of #", path="pattern")
    return pattern


def check_codes(lines: Sequence[str]) -> list[str]:
    """The normal codes of an import. Raises InvalidCodes with the faults of the first lines."""
    if len(lines) > MAX_CODES:
        raise InvalidCodes(f"at most {MAX_CODES} codes at once; this list has {len(lines)}")
    codes: dict[str, int] = {}
    faults: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        code = normal(line)
        if not is_code(code):
            faults[f"line {number}"] = "a code has 4 to 40 letters and digits"
        elif code in codes:
            faults[f"line {number}"] = f"the same code as in line {codes[code]}"
        else:
            codes[code] = number
    if faults:
        shown = dict(list(faults.items())[:_SHOWN_FAULTS])
        line, fault = next(iter(shown.items()))
        raise InvalidCodes(f"{len(faults)} of the lines have faults, the first is {line}: {fault}", problems=shown)
    if not codes:
        raise InvalidCodes("there is no code in the list")
    return list(codes)


def check_new(new: NewCoupon) -> NewCoupon:
    """`new` with cleaned texts. Raises InvalidCoupon."""
    pattern = None
    if new.code_source is CodeSource.PATTERN:
        pattern = check_pattern(new.pattern or DEFAULT_PATTERN)
    return replace(
        new,
        name=check_name(new.name),
        description=check_description(new.description),
        terms=check_terms(new.terms),
        pattern=pattern,
        shared_code=check_shared_code(new.shared_code),
    )


def check_name(name: dict[str, str]) -> dict[str, str]:
    """Names by locale. Raises InvalidCoupon."""
    cleaned = clean_names(name)
    if not cleaned:
        raise InvalidCoupon("a coupon needs a name in at least one language", path="name")
    return cleaned


def check_description(description: dict[str, str]) -> dict[str, str]:
    """Descriptions by locale. Raises InvalidCoupon."""
    cleaned = clean_texts(description)
    if any(len(text) > _MAX_DESCRIPTION for text in cleaned.values()):
        raise InvalidCoupon(f"a description has at most {_MAX_DESCRIPTION} characters", path="description")
    return cleaned


def check_shared_code(code: str | None) -> str | None:
    """The normal code that everybody may say. Raises InvalidCoupon."""
    if not code or not code.strip():
        return None
    found = normal(code)
    if not is_code(found):
        raise InvalidCoupon("a shared code has 4 to 40 letters and digits", path="shared_code")
    return found


def check_terms(terms: Terms) -> Terms:
    """`terms` when they make sense together. Raises InvalidCoupon."""
    _check_value(terms)
    for name in ("most", "minimum_spend"):
        amount = getattr(terms, name)
        if amount is not None and not _is_money(amount):
            raise InvalidCoupon(f"{name} must be an amount above 0 with at most two decimals", path=name)
    if terms.most is not None and terms.kind is not CouponKind.PERCENT:
        raise InvalidCoupon("only a percentage has a most", path="most")
    for name in ("limit_total", "limit_per_member"):
        count = getattr(terms, name)
        if count is not None and not 1 <= count <= MAX_COUNT:
            raise InvalidCoupon(f"{name} must be a whole number from 1 on, or empty for no limit", path=name)
    if terms.valid_days is not None and not 1 <= terms.valid_days <= MAX_DAYS:
        raise InvalidCoupon(f"valid_days must be from 1 to {MAX_DAYS}, or empty", path="valid_days")
    times = [at for at in (terms.starts_at, terms.ends_at) if at is not None]
    if any(at.tzinfo is None for at in times):
        raise InvalidCoupon("starts_at and ends_at need a time zone, such as 2026-03-01T00:00:00+08:00")
    if len(times) == 2 and times[1] <= times[0]:  # noqa: PLR2004 - both are given
        raise InvalidCoupon("the end must be later than the start", path="ends_at")
    return terms


def _check_value(terms: Terms) -> None:
    value = terms.value
    match terms.kind:
        case CouponKind.GIFT if value is not None:
            raise InvalidCoupon("a gift has no value: its name says what it is", path="value")
        case CouponKind.FIXED if not _is_money(value):
            raise InvalidCoupon(
                "value must be the money that it takes off, above 0 with at most two decimals", path="value"
            )
        case CouponKind.PERCENT if value is None or not 0 < value <= 100 or value != value.quantize(_CENT):  # noqa: PLR2004
            raise InvalidCoupon("value must be the per cent that it takes off, above 0 and at most 100", path="value")
        case CouponKind.SHIPPING if value is not None and not _is_money(value):
            raise InvalidCoupon(
                "value must be the most that is paid for shipping, or empty for all of it", path="value"
            )
        case _:
            return


def _is_money(value: Decimal | None) -> bool:
    return value is not None and value.is_finite() and 0 < value <= MAX_MONEY and value == value.quantize(_CENT)


def validity(terms: Terms, at: datetime) -> tuple[datetime, datetime | None]:
    """From when until when a voucher issued at `at` is valid; None: for ever."""
    start = max(at, terms.starts_at) if terms.starts_at else at
    end = at + timedelta(days=terms.valid_days) if terms.valid_days else None
    ends = [moment for moment in (end, terms.ends_at) if moment is not None]
    return start, min(ends, default=None)


def discount(terms: Terms, amount: Decimal) -> Decimal | None:
    """Money off `amount`; None when it is no matter of this amount (gift, shipping). Raises SpendTooLittle."""
    if terms.minimum_spend is not None and amount < terms.minimum_spend:
        raise SpendTooLittle(minimum=str(terms.minimum_spend), amount=str(amount))
    if terms.kind is CouponKind.FIXED and terms.value is not None:
        return min(terms.value, amount).quantize(_CENT)
    if terms.kind is CouponKind.PERCENT and terms.value is not None:
        off = (amount * terms.value / 100).quantize(_CENT, rounding=ROUND_HALF_UP)
        return (min(off, amount) if terms.most is None else min(off, terms.most, amount)).quantize(_CENT)
    return None


def total_discount(together: Sequence[Terms], amount: Decimal) -> Decimal | None:
    """Money that vouchers used together take off: percentages of the whole amount first, never more than it.

    Raises SpendTooLittle, VouchersDoNotCombine.
    """
    check_combination(together)
    parts = [part for part in (discount(terms, amount) for terms in together) if part is not None]
    return min(sum(parts, Decimal(0)), amount).quantize(_CENT) if parts else None


def check_combination(together: Sequence[Terms]) -> None:
    """Raises VouchersDoNotCombine unless each allows all the others."""
    for index, terms in enumerate(together):
        others = [other for place, other in enumerate(together) if place != index]
        if terms.stacking is Stacking.ALONE and others:
            raise VouchersDoNotCombine
        if terms.stacking is Stacking.OTHER_KINDS and any(other.kind is terms.kind for other in others):
            raise VouchersDoNotCombine
