"""PL/pgSQL of the points ledger as revision r0011 installs it: one statement posts one transaction."""

LEDGER_ID = """
CREATE FUNCTION siyu_ledger_id(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) PLACING
        substring(int8send(floor(extract(epoch FROM at) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1),
        'hex')::uuid
$$
"""

ENTRY_HASH = """
CREATE FUNCTION siyu_entry_hash(previous bytea, member bigint, sequence bigint, amount bigint, balance_after bigint,
    transaction_id uuid, occurred_at timestamptz, kind text, key text, reason text, actor text, rule_id bigint,
    event_id uuid, reverses_id uuid) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT sha256(previous || convert_to(concat_ws('|', member, sequence, amount, balance_after, transaction_id,
        (extract(epoch FROM occurred_at) * 1000000)::bigint, kind, coalesce(rule_id::text, '-'),
        coalesce(event_id::text, '-'), coalesce(reverses_id::text, '-'),
        length(key), key, length(reason), reason, actor), 'UTF8'))
$$
"""

BALANCED = """
CREATE FUNCTION siyu_ledger_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong uuid;
BEGIN
    SELECT transaction_id INTO wrong FROM added GROUP BY transaction_id HAVING sum(amount) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the entries of transaction % do not sum to zero', wrong USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$
"""

LOCK_ACCOUNT = """
CREATE FUNCTION siyu_lock_account(p_member bigint) RETURNS point_accounts LANGUAGE plpgsql AS $$
DECLARE
    account point_accounts;
    owner bigint := p_member;
BEGIN
    LOOP
        SELECT * INTO account FROM point_accounts WHERE member_id = owner FOR UPDATE;
        IF NOT FOUND THEN
            INSERT INTO point_accounts (member_id) VALUES (owner) ON CONFLICT DO NOTHING;
        ELSIF account.merged_into_id IS NULL THEN
            RETURN account;
        ELSE
            owner := account.merged_into_id;
        END IF;
    END LOOP;
END $$
"""

USE_LOTS = """
CREATE FUNCTION siyu_use_lots(p_member bigint, p_transaction uuid, p_at timestamptz, p_amount bigint, p_lot bigint,
    p_even_expired boolean) RETURNS void LANGUAGE sql AS $$
    WITH open AS (
        SELECT id, remaining, sum(remaining) OVER (ORDER BY expires_at NULLS LAST, earned_at, id) - remaining AS before
        FROM point_lots
        WHERE member_id = p_member AND remaining > 0 AND (p_lot IS NULL OR id = p_lot)
          AND (p_even_expired OR expires_at IS NULL OR expires_at > siyu_now())
    ), used AS (
        SELECT id, least(remaining, p_amount - before) AS amount FROM open WHERE before < p_amount
    ), changed AS (
        UPDATE point_lots SET remaining = remaining - used.amount FROM used WHERE point_lots.id = used.id
    )
    INSERT INTO lot_uses (transaction_id, lot_id, occurred_at, amount) SELECT p_transaction, id, p_at, amount FROM used
$$
"""

RESTORE_LOTS = """
CREATE FUNCTION siyu_restore_lots(p_member bigint, p_transaction uuid, p_restores uuid, p_restores_at timestamptz,
    p_repaid bigint) RETURNS bigint LANGUAGE sql AS $$
    WITH restored AS (
    INSERT INTO point_lots (member_id, transaction_id, points, remaining, earned_at, expires_at)
    SELECT p_member, p_transaction, kept, kept, earned_at, expires_at
    FROM (
        SELECT least(amount, running - p_repaid) AS kept, earned_at, expires_at, id
        FROM (
            SELECT u.amount, l.earned_at, l.expires_at, l.id,
                   sum(u.amount) OVER (ORDER BY l.expires_at NULLS LAST, l.earned_at, l.id) AS running
            FROM lot_uses u JOIN point_lots l ON l.id = u.lot_id
            WHERE u.transaction_id = p_restores AND u.occurred_at = p_restores_at
        ) AS used
        WHERE running > p_repaid
    ) AS left_over
    ORDER BY expires_at NULLS LAST, earned_at, id
    RETURNING points)
    SELECT coalesce(sum(points), 0)::bigint FROM restored
$$
"""

POST = """
CREATE FUNCTION siyu_post_points(
    p_member bigint, p_kind text, p_key text, p_amount bigint, p_contra text, p_reason text,
    p_at timestamptz, p_actor text DEFAULT 'system', p_expires_at timestamptz DEFAULT NULL,
    p_rule bigint DEFAULT NULL, p_event uuid DEFAULT NULL, p_reverses uuid DEFAULT NULL,
    p_restores uuid DEFAULT NULL, p_restores_at timestamptz DEFAULT NULL,
    p_lot bigint DEFAULT NULL, p_may_owe boolean DEFAULT false,
    OUT outcome text, OUT transaction_id uuid, OUT points bigint, OUT balance bigint, OUT debt bigint,
    OUT member_id bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    account point_accounts;
    known ledger_keys;
    moved bigint;
    owed bigint;
    spendable bigint;
    fresh bigint;
    chained bytea;
BEGIN
    -- the account first: whoever posts for a member waits here, so keys and lots are never fought over
    account := siyu_lock_account(p_member);
    member_id := account.member_id;
    balance := account.balance;
    debt := account.debt;
    points := p_amount;
    SELECT * INTO known FROM ledger_keys k WHERE k.key = p_key;
    IF FOUND THEN
        outcome := 'replayed';
        transaction_id := known.transaction_id;
        points := known.amount;
        RETURN;
    END IF;
    IF p_reverses IS NOT NULL AND EXISTS (SELECT FROM ledger_keys k WHERE k.reverses_id = p_reverses) THEN
        outcome := 'reversed';
        RETURN;
    END IF;
    IF points < 0 THEN
        SELECT coalesce(sum(l.remaining), 0) INTO spendable FROM point_lots l
        WHERE l.member_id = account.member_id AND l.remaining > 0 AND (p_lot IS NULL OR l.id = p_lot)
          AND (p_lot IS NOT NULL OR p_may_owe OR l.expires_at IS NULL OR l.expires_at > siyu_now());
        IF p_lot IS NOT NULL THEN
            points := -spendable;
        END IF;
        moved := -least(-points, spendable);
        IF points = 0 OR (moved <> points AND NOT p_may_owe) THEN
            outcome := 'insufficient';
            balance := spendable;
            RETURN;
        END IF;
    ELSE
        moved := points - least(points, account.debt);
    END IF;
    owed := points - moved;
    outcome := 'posted';
    balance := account.balance + moved;
    debt := account.debt - owed;
    transaction_id := siyu_ledger_id(p_at);
    INSERT INTO ledger_keys (key, transaction_id, occurred_at, amount, reverses_id)
    VALUES (p_key, transaction_id, p_at, points, p_reverses);
    INSERT INTO ledger_transactions
        (id, occurred_at, kind, key, reason, actor, rule_id, event_id, reverses_id)
    VALUES (transaction_id, p_at, p_kind, p_key, p_reason, p_actor, p_rule, p_event, p_reverses);
    IF moved <> 0 THEN
        chained := siyu_entry_hash(account.last_hash, account.member_id, account.last_sequence + 1, moved, balance,
            transaction_id, p_at, p_kind, p_key, p_reason, p_actor, p_rule, p_event, p_reverses);
    END IF;
    INSERT INTO ledger_entries
        (transaction_id, position, occurred_at, account, member_id, amount, sequence, balance_after, hash)
    SELECT transaction_id, v.position, p_at, v.account, v.owner, v.amount, v.sequence, v.balance_after, v.hash
    FROM (VALUES
        (0, 'member', account.member_id, moved, account.last_sequence + 1, balance, chained),
        (1, 'debt', account.member_id, owed, NULL, NULL, NULL),
        (2, p_contra, NULL, -points, NULL, NULL, NULL)
    ) AS v (position, account, owner, amount, sequence, balance_after, hash)
    WHERE v.amount <> 0;
    IF moved < 0 THEN
        PERFORM siyu_use_lots(account.member_id, transaction_id, p_at, -moved, p_lot, p_may_owe OR p_lot IS NOT NULL);
    ELSIF moved > 0 THEN
        IF p_restores IS NOT NULL THEN
            fresh := moved - siyu_restore_lots(account.member_id, transaction_id, p_restores, p_restores_at, owed);
        ELSE
            fresh := moved;
        END IF;
        IF fresh > 0 THEN
            INSERT INTO point_lots (member_id, transaction_id, points, remaining, earned_at, expires_at)
            VALUES (account.member_id, transaction_id, fresh, fresh, p_at, p_expires_at);
        END IF;
    END IF;
    UPDATE point_accounts a SET balance = account.balance + moved, debt = account.debt - owed,
        last_sequence = a.last_sequence + (moved <> 0)::int, last_hash = coalesce(chained, a.last_hash)
    WHERE a.member_id = account.member_id;
    -- the cached balance of the profile changes with the account in the same statement: a second round trip
    -- per award would cost more than the rest of the posting
    UPDATE profiles p SET points_balance = account.balance + moved WHERE p.member_id = account.member_id;
END $$
"""

FUNCTIONS = (LEDGER_ID, ENTRY_HASH, BALANCED, LOCK_ACCOUNT, USE_LOTS, RESTORE_LOTS, POST)
DROPPED = (
    "siyu_post_points",
    "siyu_restore_lots",
    "siyu_use_lots",
    "siyu_lock_account",
    "siyu_ledger_balanced",
    "siyu_entry_hash",
    "siyu_ledger_id",
)
