"""The database functions of the ledger as they are in force after all migrations."""

from crm.migrations import ledger_functions, ledger_sets, lock_functions, moment_functions, points_functions

TEXTS = {
    "siyu_ledger_balanced": points_functions.BALANCED,
    "siyu_lock_account": lock_functions.LOCK_ACCOUNT,
    "siyu_use_lots": moment_functions.USE_LOTS,
    "siyu_restore_lots": ledger_functions.RESTORE_LOTS,
    "siyu_post_points": moment_functions.POST,
    "siyu_shift_points": ledger_functions.SHIFT,
    "siyu_post_set": ledger_sets.POST_SET,
    "siyu_post_lines": ledger_sets.POST_LINES,
    "siyu_expire_lots": lock_functions.EXPIRE_SET,
    "siyu_activate_points": lock_functions.ACTIVATE_SET,
}
"""By name. What makes ids and hashes has no comparison or sum to go wrong; its texts are checked by the chain."""


def replacing(text: str) -> str:
    """The statement that puts the function in the place of the one that is there."""
    return text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
