"""No table that holds something of a member is forgotten when members are merged, exported or erased."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import LargeBinary, Table

from crm.db.base import Base
from crm.kit.discovery import modules_named
from crm.members import merging, privacy
from tests.architecture.sources import sources

MERGED_OTHERWISE = {
    "events": "append-only; the timeline reads the merged profiles' events too",
    "consents": "append-only; decisions are repeated for the kept member",
    "earning_replay_members": "what a replay reckoned; removed a month after it ended",
    "link_codes": "run out in ten minutes and are followed to the kept member",
    "member_merges": "the record of the merges themselves",
    "bulk_deliveries": "never changed; whom an open one reaches is found when it is claimed",
    "interactive_deliveries": "never changed; it says what was answered at the time",
    "ledger_checkpoint_heads": "append-only; what a signed checkpoint saw of each account",
}
"""Tables with a member's id that no merge step names, and why."""
NOT_PERSONAL = {
    "audit_log.hash": "a chain of digests",
    "api_keys.token_hash": "the digest of a random token",
    "bots.path_index": "a secret of the deployment",
    "draws.sealed_seed": "a secret of the draw until it is closed",
    "bots.path_sealed": "a secret of the deployment",
    "bots.token_index": "a secret of the deployment",
    "bots.token_sealed": "a secret of the deployment",
    "bots.webhook_secret_sealed": "a secret of the deployment",
    "idempotency_keys.body_hash": "the digest of a request, kept for a day",
    "imports.fingerprint": "the digest of a whole file",
    "link_codes.code_index": "the blind index of six random digits that run out in ten minutes",
    "media.data": "pictures of the brand",
    "operator_chat_codes.code_hash": "the digest of a random code",
    "operator_links.token_hash": "the digest of a random token",
    "operator_sessions.token_hash": "the digest of a random token",
    "webhook_endpoints.address_sealed": "an address of the brand's own, which may hold a token",
    "webhook_endpoints.older_secret_sealed": "a secret of the deployment",
    "webhook_endpoints.secret_sealed": "a secret of the deployment",
}
"""Columns of bytes that hold no personal data, and why; those of the ledger are digests, see `LEDGER`."""
LEDGER = re.compile(r"(point|ledger)\w*\.(\w*hash|digest|signature)$")


@dataclass(frozen=True)
class Owned:
    """A table and where it is described."""

    capability: str
    row: str
    table: Table


def _tables() -> Iterator[Owned]:
    for module in modules_named("crm", "models"):
        for name, value in vars(module).items():
            is_row = isinstance(value, type) and issubclass(value, Base) and value is not Base
            if is_row and value.__module__ == module.__name__:
                yield Owned(module.__name__.split(".")[1], name, Base.metadata.tables[value.__tablename__])


def _named_in_merges(capability: str) -> str:
    """The capability's own code from its merge step on: all names and texts of `merge.py` and what it imports here."""
    files = {source.name: source for source in sources("crm")}
    waiting, seen = [f"crm/{capability}/merge.py"], dict[str, str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in files:
            continue
        seen[name] = files[name].text
        for node in ast.walk(files[name].tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"crm.{capability}"):
                base = (node.module or "").replace(".", "/")
                waiting += [f"{base}.py", *(f"{base}/{alias.name}.py" for alias in node.names)]
    return "\n".join(text for name, text in seen.items() if not name.endswith("models.py"))


def test_every_table_with_a_member_is_merged_or_has_a_reason() -> None:
    stepped = {type(step).__module__.split(".")[1] for step in merging.steps()}
    forgotten, listed = [], set()
    for owned in _tables():
        if not {"member_id", "keep_id"} & set(owned.table.c.keys()):
            continue
        code = _named_in_merges(owned.capability) if owned.capability in stepped else ""
        is_named = re.search(rf"\b{owned.row}\b|[\"'\s]{owned.table.name}\b", code)
        if owned.table.name in MERGED_OTHERWISE:
            listed.add(owned.table.name)
        elif not is_named:
            forgotten.append(f"{owned.capability}: {owned.table.name}")
    assert forgotten == []
    assert listed == set(MERGED_OTHERWISE)


def test_every_sealed_column_is_declared_or_has_a_reason() -> None:
    declared = {f"{item.table}.{column}" for item in privacy.registry() for column in item.columns}
    found = {
        f"{owned.table.name}.{column.name}"
        for owned in _tables()
        for column in owned.table.c
        if isinstance(column.type, LargeBinary)
    }
    plain = {name for name in found if LEDGER.match(name)}
    assert found - declared - plain - set(NOT_PERSONAL) == set()
    assert set(NOT_PERSONAL) <= found - declared


def test_every_channel_account_is_declared() -> None:
    """Addresses and chat keys say who somebody is on a channel."""
    declared = {f"{item.table}.{column}" for item in privacy.registry() for column in item.columns}
    telling = {"address", "chat_key", "username", "display_name", "ip", "phone", "email"}
    of_no_member = {"operator_sessions.ip", "bots.username"}
    found = {f"{owned.table.name}.{column.name}" for owned in _tables() for column in owned.table.c}
    assert {name for name in found if name.partition(".")[2] in telling} - declared == of_no_member


def test_what_is_declared_is_there() -> None:
    for item in privacy.registry():
        table = Base.metadata.tables[item.table]
        named = {*item.columns, *filter(None, (item.member_column, item.identity_column))}
        assert named <= set(table.c.keys()), item
