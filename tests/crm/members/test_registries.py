"""No table with a member is forgotten by merges; what is declared personal is really there."""

from collections.abc import Iterator

from sqlalchemy import Table

from crm.db.base import Base
from crm.kit.discovery import modules_named
from crm.members import merging, privacy

LEFT_ALONE = {
    "events": "append-only; the timeline reads the merged profiles' events too",
    "consents": "append-only; decisions are repeated for the kept member",
    "consent_states": "follows consents",
    "link_codes": "runs out in ten minutes and is followed to the kept member",
    "profiles": "derived; owners record their facts for both members",
}
"""Tables whose rows no merge step moves, and why."""


def _owners() -> Iterator[tuple[str, Table]]:
    """(capability, table) for every table with a member's id."""
    for module in modules_named("crm", "models"):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Base) and value is not Base:
                table = Base.metadata.tables[value.__tablename__]
                if value.__module__ == module.__name__ and "member_id" in table.c:
                    yield module.__name__.split(".")[1], table


def test_every_table_with_a_member_is_merged_or_left_alone_for_a_reason() -> None:
    with_steps = {type(step).__module__.split(".")[1] for step in merging.steps()}
    forgotten = [
        table.name for capability, table in _owners() if capability not in with_steps and table.name not in LEFT_ALONE
    ]
    assert forgotten == []


def test_nothing_is_left_alone_that_is_not_there() -> None:
    assert set(LEFT_ALONE) <= {table.name for _, table in _owners()}


def test_steps_have_names_of_their_own() -> None:
    names = [step.name for step in merging.steps()]
    assert {"members", "profiles", "tags", "consent", "orders"} <= set(names)
    assert len(set(names)) == len(names)


def test_what_is_declared_personal_is_there() -> None:
    for item in privacy.registry():
        table = Base.metadata.tables[item.table]
        assert set(item.columns) <= set(table.c.keys())
        assert item.member_column is None or item.member_column in table.c


def test_what_members_seal_is_declared_personal() -> None:
    declared = {(item.table, column) for item in privacy.registry() for column in item.columns}
    for name in ("members", "identities", "member_merges", "imports"):
        sealed = {column.name for column in Base.metadata.tables[name].c if column.name.endswith("_sealed")}
        assert {(name, column) for column in sealed} <= declared
