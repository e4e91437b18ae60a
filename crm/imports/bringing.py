"""One chunk of good rows becomes members: matched by phone or e-mail, else made; then tagged."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand.types import Brand
from crm.imports.mapping import BadRow, Draft
from crm.kit.errors import DomainError
from crm.members import attributes, bulk
from crm.members import service as members
from crm.members.types import UNSET, MemberChanges
from crm.profiles import service as profiles
from crm.tags import bulk as tagging
from crm.tags import service as tags

SOURCE = "import"


@dataclass
class Outcome:
    """What a chunk came to."""

    created: int = 0
    updated: int = 0
    problems: dict[int, str] = field(default_factory=dict)
    """Row -> why it was left out."""


@dataclass(frozen=True)
class Order:
    """What holds for every row of an import."""

    import_id: int
    by: str
    tags_for_all: Sequence[str]
    brand: Brand


class Bringer:
    """Brings the rows of one chunk in, inside the caller's transaction."""

    def __init__(self, session: AsyncSession, order: Order, outcome: Outcome) -> None:
        self._session = session
        self._order = order
        self._outcome = outcome
        self._tagged: dict[str, list[int]] = defaultdict(list)

    async def bring_in(self, drafts: Sequence[Draft]) -> None:
        """Match, update, make and tag; what is wrong with a row goes to the outcome."""
        usable = await self._with_usable_tags(drafts)
        phones = await bulk.by_phones(self._session, [item.phone for item in usable if item.phone])
        emails = await bulk.by_emails(self._session, [item.email for item in usable if item.email])
        known = {member_id for ids in (*phones.values(), *emails.values()) for member_id in ids}
        await profiles.hold_all(self._session, sorted(known), may_wait=True)
        fresh: list[Draft] = []
        for item in usable:
            try:
                found = _match(phones.get(item.phone or "", []), emails.get(item.email or "", []))
                if found is None:
                    fresh.append(item)
                else:
                    await self._update(found, item)
            except DomainError as error:
                self._outcome.problems[item.row] = error.detail
        await self._make(fresh)
        for label, member_ids in self._tagged.items():
            await tagging.add(self._session, member_ids, label, source=SOURCE, source_ref=str(self._order.import_id))

    async def _with_usable_tags(self, drafts: Sequence[Draft]) -> list[Draft]:
        problems: dict[str, str] = {}
        for label in {label for item in drafts for label in item.tags}:
            try:
                await tags.usable(self._session, label)
            except DomainError as error:
                problems[label] = error.detail
        for item in drafts:
            for label in item.tags:
                if label in problems:
                    self._outcome.problems[item.row] = problems[label]
        return [item for item in drafts if item.row not in self._outcome.problems]

    async def _update(self, member_id: int, item: Draft) -> None:
        async with self._session.begin_nested():
            changes = MemberChanges(
                display_name=item.display_name or UNSET,
                locale=item.locale or UNSET,
                time_zone=item.time_zone or UNSET,
                birthday=item.birthday or UNSET,
                attributes=item.attributes,
            )
            await members.change(self._session, member_id, changes, by=self._order.by)
            if item.phone and await members.phone(self._session, member_id) != item.phone:
                await members.set_phone(self._session, member_id, item.phone, is_verified=False, by=self._order.by)
            if item.email and await members.email(self._session, member_id) != item.email:
                await members.set_email(self._session, member_id, item.email, by=self._order.by)
        self._outcome.updated += 1
        self._tag(member_id, item)

    async def _make(self, fresh: Sequence[Draft]) -> None:
        kept = _once_per_email(fresh, self._outcome)
        new = [await self._new(item) for item in kept]
        for member_id, item in zip(await bulk.create(self._session, new, channel=SOURCE), kept, strict=True):
            self._tag(member_id, item)
        self._outcome.created += len(kept)

    async def _new(self, item: Draft) -> bulk.NewMember:
        plain, personal = await attributes.split_patch(self._session, item.attributes)
        return bulk.NewMember(
            display_name=item.display_name or "",
            locale=item.locale or self._order.brand.default_locale,
            time_zone=item.time_zone,
            birthday=item.birthday,
            phone=item.phone,
            email=item.email,
            plain=plain,
            personal=personal,
        )

    def _tag(self, member_id: int, item: Draft) -> None:
        for label in {*item.tags, *self._order.tags_for_all}:
            self._tagged[label].append(member_id)


def _match(by_phone: Sequence[int], by_email: Sequence[int]) -> int | None:
    """The one member that a row means, None for a new one. Raises BadRow when it cannot be told."""
    found = {*by_phone, *by_email}
    if len(by_phone) > 1 or len(by_email) > 1:
        raise BadRow("several members have this phone or e-mail address; merge them first")
    if len(found) > 1:
        raise BadRow("the phone belongs to one member and the e-mail address to another")
    return next(iter(found), None)


def _once_per_email(fresh: Sequence[Draft], outcome: Outcome) -> list[Draft]:
    """The rows whose e-mail address no earlier row of the chunk has; the others are problems."""
    first: dict[str, int] = {}
    kept: list[Draft] = []
    for item in fresh:
        if item.email and first.setdefault(item.email, item.row) != item.row:
            outcome.problems[item.row] = f"the same e-mail address stands in row {first[item.email]}"
        else:
            kept.append(item)
    return kept
