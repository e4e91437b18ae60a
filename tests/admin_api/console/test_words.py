"""Words that Python puts together are said in Chinese too, and every kind of event has a look."""

import re

from admin_api.console import bubbles, forms, timeline
from admin_api.console.locale import catalogue
from crm.consent import errors as consent_errors
from crm.coupons import errors as coupon_errors
from crm.events.catalogue import CATALOGUE
from crm.imports import errors as import_errors
from crm.kit.errors import DomainError
from crm.members import errors as member_errors
from crm.points import errors as points_errors
from crm.rewards import errors as reward_errors
from crm.sources import errors as source_errors
from crm.tags import errors as tag_errors
from crm.tickets import errors as ticket_errors

_OF_NO_MEMBER = {"broadcast_paused", "broadcast_finished", "alert_raised", "alert_resolved"}
_MODULES = (
    consent_errors,
    coupon_errors,
    import_errors,
    member_errors,
    points_errors,
    reward_errors,
    source_errors,
    tag_errors,
    ticket_errors,
    forms,
)


def _errors() -> set[str]:
    kinds = [value for module in _MODULES for value in vars(module).values() if isinstance(value, type)]
    own = {module.__name__ for module in _MODULES}
    return {kind().detail for kind in kinds if issubclass(kind, DomainError) and kind.__module__ in own}


def test_every_event_of_a_member_has_a_look() -> None:
    assert set(CATALOGUE) - _OF_NO_MEMBER == set(timeline.LOOKS)


def test_details_name_fields_that_the_event_has() -> None:
    for kind, look in timeline.LOOKS.items():
        fields = set(CATALOGUE[kind].__dataclass_fields__)
        assert set(re.findall(r"\{(\w+)\}", look.detail)) <= fields, kind


def test_every_word_is_translated() -> None:
    details = {
        look.detail for look in timeline.LOOKS.values() if re.search(r"[A-Za-z]", re.sub(r"\{\w+\}", "", look.detail))
    }
    said = details | {kind.title for kind in CATALOGUE.values()} | set(timeline.WORDS.values())
    said |= forms.SENTENCES | bubbles.SENTENCES | _errors()
    assert said - set(catalogue("zh-CN")) == set()
