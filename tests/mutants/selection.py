"""Which tests judge mutants of the ledger, the quick and telling ones first."""

ROOM = "tests/crm/points"
POSTING = (
    "postings",
    "details",
    "posting_lines",
    "sets_and_takings",
    "holds",
    "pending",
    "expiry",
    "reversal",
    "merge",
    "history",
    "random_operations",
)
"""Whatever moves points, on sessions that roll back; mutants of Python are judged by more, see pyproject.toml."""
CROWDS = ("parallel", "random_parallel")
"""Many at once with real commits: for faults in what locks."""


def files(names: tuple[str, ...]) -> list[str]:
    """Their paths, from the root of the checkout."""
    return [f"{ROOM}/test_{name}.py" for name in names]
