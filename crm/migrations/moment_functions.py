"""PL/pgSQL of the points ledger as revision r0046 changes it: one posting looks at the clock once."""

from crm.migrations import ledger_sets

_OF_POSTING = (
    ("    chained bytea;\nBEGIN\n", "    chained bytea;\n    moment timestamptz;\nBEGIN\n"),
    ("    points := p_amount;\n", "    points := p_amount;\n    moment := siyu_now();\n"),
    ("l.expires_at > (SELECT siyu_now()));", "l.expires_at > moment);"),
    ("(id, occurred_at, kind, key, reason,", "(id, occurred_at, recorded_at, kind, key, reason,"),
    ("VALUES (transaction_id, p_at, p_kind,", "VALUES (transaction_id, p_at, moment, p_kind,"),
    ("p_at, -moved, p_may_owe);", "p_at, -moved, p_may_owe, moment);"),
)
_OF_LOTS = (
    ("p_even_expired boolean) RETURNS", "p_even_expired boolean, p_now timestamptz) RETURNS"),
    ("expires_at > (SELECT siyu_now()))", "expires_at > p_now)"),
)


def _changed(function: str, changes: tuple[tuple[str, str], ...]) -> str:
    for before, after in changes:
        assert function.count(before) == 1, before
        function = function.replace(before, after)
    return function


USE_LOTS = _changed(ledger_sets.USE_LOTS, _OF_LOTS)
POST = _changed(ledger_sets.POST, _OF_POSTING)
"""What can be spent is counted, recorded and taken at one moment: a lot that ran out in between was counted before,
and then not taken."""
FUNCTIONS = (USE_LOTS, POST)
BEFORE = (ledger_sets.USE_LOTS, ledger_sets.POST)
DROPPED = ("siyu_use_lots", "siyu_post_points")
"""They go before either comes in the other's place."""
