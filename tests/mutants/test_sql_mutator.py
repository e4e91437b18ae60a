"""Faults are one at a time, in the code and nowhere else."""

from tests.mutants.sql_functions import TEXTS
from tests.mutants.sql_mutator import mutants

PLAIN = """
CREATE FUNCTION add(a bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    b bigint := 0;
BEGIN
    -- never < 0 AND so on
    b := a + 1;
    IF a > 3 OR a < 0 THEN
        RETURN b;
    END IF;
END $$
"""


def test_each_fault_is_made_once() -> None:
    found = [mutant.text for mutant in mutants("add", PLAIN)]
    assert len(found) == len(set(found))
    assert PLAIN not in found
    changed = [
        [new.strip() for new, old in zip(text.split("\n"), PLAIN.split("\n"), strict=True) if new != old]
        for text in found
    ]
    assert all(len(lines) == 1 for lines in changed)
    assert sorted(lines[0] for lines in changed) == sorted(
        [
            *("b := a - 1;", "b := a + 2;", ""),
            *("IF a >= 3 OR a < 0 THEN", "IF a > 3 AND a < 0 THEN", "IF a > 3 THEN"),
            *("IF a > 3 OR a <= 0 THEN", "IF a > 3 OR a < 1 THEN"),
        ]
    )


def test_every_function_of_the_ledger_has_faults_to_notice() -> None:
    found = {name: len(mutants(name, text)) for name, text in TEXTS.items()}
    assert min(found.values()) >= 4
    assert sum(found.values()) > 300
