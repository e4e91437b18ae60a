"""PL/pgSQL of locks as revision r0043 installs it: the profile's row stands for the member, and is locked first."""

from crm.migrations import ledger_functions

OWNER = """
CREATE FUNCTION siyu_owner(p_member bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    owner bigint := p_member;
    further bigint;
BEGIN
    -- whom the member lives on in, after any merges, at this moment; nothing is locked
    LOOP
        SELECT merged_into_id INTO further FROM members WHERE id = owner;
        IF further IS NULL THEN
            RETURN owner;
        END IF;
        owner := further;
    END LOOP;
END $$
"""

ENTER = """
CREATE FUNCTION siyu_enter_member(p_member bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    owner bigint;
    further bigint;
BEGIN
    SELECT merged_into_id INTO further FROM members WHERE id = p_member;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF further IS NULL THEN
        PERFORM FROM profiles WHERE member_id = p_member FOR NO KEY UPDATE;
        -- a merge may have ended while this waited for it
        SELECT merged_into_id INTO further FROM members WHERE id = p_member;
        IF further IS NULL THEN
            RETURN p_member;
        END IF;
    END IF;
    LOOP
        owner := siyu_owner(p_member);
        BEGIN
            PERFORM FROM profiles WHERE member_id = owner FOR NO KEY UPDATE;
            IF siyu_owner(p_member) = owner THEN
                RETURN owner;
            END IF;
            -- undone or merged further meanwhile: the lock goes with this block
            RAISE EXCEPTION USING ERRCODE = 'SY001';
        EXCEPTION WHEN SQLSTATE 'SY001' THEN
            NULL;
        END;
    END LOOP;
END $$
"""

HOLD_ALL = """
CREATE FUNCTION siyu_hold_all(p_members bigint[], p_may_wait boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    awaited bigint := p_members[1];
    one bigint;
BEGIN
    -- never waits for one while it has another, so whoever has one of them and wants a second cannot meet it in a ring
    FOR try IN 1..500 LOOP
        BEGIN
            IF p_may_wait THEN
                PERFORM FROM profiles WHERE member_id = awaited FOR NO KEY UPDATE;
            END IF;
            FOREACH one IN ARRAY p_members LOOP
                awaited := one;
                PERFORM FROM profiles WHERE member_id = one FOR NO KEY UPDATE NOWAIT;
            END LOOP;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            NULL; -- what was locked in this block is free again
        END;
        PERFORM pg_sleep(least(try, 10) * 0.004 * random());
    END LOOP;
    RAISE EXCEPTION 'member % stays busy', awaited USING ERRCODE = 'lock_not_available';
END $$
"""

ENTER_MANY = """
CREATE FUNCTION siyu_enter_members(p_members bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    owners bigint[];
BEGIN
    LOOP
        SELECT array_agg(DISTINCT siyu_owner(m.id)) INTO owners FROM unnest(p_members) AS m (id);
        BEGIN
            PERFORM siyu_hold_all(owners, true);
            IF (SELECT bool_and(siyu_owner(m.id) = ANY (owners)) FROM unnest(p_members) AS m (id)) THEN
                RETURN;
            END IF;
            RAISE EXCEPTION USING ERRCODE = 'SY001';
        EXCEPTION WHEN SQLSTATE 'SY001' THEN
            NULL;
        END;
    END LOOP;
END $$
"""

LOCK_ACCOUNT = """
CREATE OR REPLACE FUNCTION siyu_lock_account(p_member bigint) RETURNS point_accounts LANGUAGE plpgsql AS $$
DECLARE
    account point_accounts;
    owner bigint := coalesce(siyu_enter_member(p_member), p_member);
BEGIN
    LOOP
        SELECT * INTO account FROM point_accounts WHERE member_id = owner FOR UPDATE;
        IF FOUND THEN
            RETURN account;
        END IF;
        INSERT INTO point_accounts (member_id) VALUES (owner) ON CONFLICT DO NOTHING;
    END LOOP;
END $$
"""

_ACCOUNTS_FIRST = "SELECT a.member_id FROM point_accounts a WHERE a.member_id IN ("
_PROFILES_FIRST = "SELECT a.member_id FROM profiles a WHERE a.member_id IN ("
_OF_ACCOUNTS, _OF_PROFILES = "FOR UPDATE SKIP LOCKED", "FOR NO KEY UPDATE SKIP LOCKED"


def _by_profiles(function: str) -> str:
    """The same, but who is busy is told by the profile, which everybody locks before the account."""
    assert _ACCOUNTS_FIRST in function
    assert _OF_ACCOUNTS in function
    changed = function.replace(_ACCOUNTS_FIRST, _PROFILES_FIRST).replace(_OF_ACCOUNTS, _OF_PROFILES)
    return changed.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


EXPIRE_SET = _by_profiles(ledger_functions.EXPIRE_SET)
ACTIVATE_SET = _by_profiles(ledger_functions.ACTIVATE_SET)
FUNCTIONS = (OWNER, ENTER, HOLD_ALL, ENTER_MANY, LOCK_ACCOUNT, EXPIRE_SET, ACTIVATE_SET)
BEFORE = (
    ledger_functions.LOCK_ACCOUNT,
    ledger_functions.EXPIRE_SET.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"),
    ledger_functions.ACTIVATE_SET.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"),
)
"""What they replace."""
DROPPED = ("siyu_enter_members", "siyu_hold_all", "siyu_enter_member", "siyu_owner")
