"""PL/pgSQL of the points ledger as revision r0032 changes it: pending and held points, taking back, sets."""

RESTORE_LOTS = """
CREATE FUNCTION siyu_restore_lots(p_member bigint, p_transaction uuid, p_restores uuid, p_restores_at timestamptz,
    p_moved bigint) RETURNS bigint LANGUAGE sql AS $$
    -- of what the other transaction used, the `p_moved` points that run out last: the rest made a debt good or is gone
    WITH used AS (
        SELECT u.amount, l.earned_at, l.expires_at, l.id,
               sum(u.amount) OVER (ORDER BY l.expires_at NULLS LAST, l.earned_at, l.id) AS running,
               sum(u.amount) OVER () - p_moved AS skipped
        FROM lot_uses u JOIN point_lots l ON l.id = u.lot_id
        WHERE u.transaction_id = p_restores AND u.occurred_at = p_restores_at
    ), restored AS (
        INSERT INTO point_lots (member_id, transaction_id, points, remaining, earned_at, expires_at)
        SELECT p_member, p_transaction, kept, kept, earned_at, expires_at
        FROM (SELECT least(amount, running - skipped) AS kept, earned_at, expires_at, id FROM used
              WHERE running > skipped) AS left_over
        ORDER BY expires_at NULLS LAST, earned_at, id
        RETURNING points
    )
    SELECT coalesce(sum(points), 0)::bigint FROM restored
$$
"""

POST = """
CREATE FUNCTION siyu_post_points(
    p_member bigint, p_kind text, p_key text, p_amount bigint, p_contra text, p_reason text,
    p_at timestamptz, p_actor text DEFAULT 'system', p_expires_at timestamptz DEFAULT NULL,
    p_rule bigint DEFAULT NULL, p_event uuid DEFAULT NULL, p_reverses uuid DEFAULT NULL,
    p_restores uuid DEFAULT NULL, p_restores_at timestamptz DEFAULT NULL,
    p_lot bigint DEFAULT NULL, p_may_owe boolean DEFAULT false, p_write_off boolean DEFAULT false,
    OUT outcome text, OUT transaction_id uuid, OUT points bigint, OUT balance bigint, OUT debt bigint,
    OUT member_id bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    account point_accounts;
    known ledger_keys;
    moved bigint;
    owed bigint;
    borne bigint;
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
    IF p_reverses IS NOT NULL AND (EXISTS (SELECT FROM ledger_keys k WHERE k.reverses_id = p_reverses)
       OR p_kind <> 'claw_back' AND EXISTS (SELECT FROM ledger_transactions t WHERE t.reverses_id = p_reverses)) THEN
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
    -- what the member's points do not cover: a debt, or the programme's loss
    owed := points - moved;
    borne := CASE WHEN p_write_off AND points < 0 THEN owed ELSE 0 END;
    owed := owed - borne;
    outcome := 'posted';
    balance := account.balance + moved;
    debt := account.debt - owed;
    transaction_id := siyu_ledger_id(p_at);
    INSERT INTO ledger_keys (key, transaction_id, occurred_at, amount, reverses_id)
    VALUES (p_key, transaction_id, p_at, points, CASE WHEN p_kind <> 'claw_back' THEN p_reverses END);
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
        (2, p_contra, CASE WHEN p_contra IN ('held', 'pending') THEN account.member_id END, -points, NULL, NULL, NULL),
        (3, 'adjustment', NULL, borne, NULL, NULL, NULL)
    ) AS v (position, account, owner, amount, sequence, balance_after, hash)
    WHERE v.amount <> 0;
    IF moved < 0 THEN
        PERFORM siyu_use_lots(account.member_id, transaction_id, p_at, -moved, p_lot, p_may_owe OR p_lot IS NOT NULL);
    ELSIF moved > 0 THEN
        IF p_restores IS NOT NULL THEN
            fresh := moved - siyu_restore_lots(account.member_id, transaction_id, p_restores, p_restores_at, moved);
        ELSE
            fresh := moved;
        END IF;
        IF fresh > 0 THEN
            INSERT INTO point_lots (member_id, transaction_id, points, remaining, earned_at, expires_at)
            VALUES (account.member_id, transaction_id, fresh, fresh, p_at, p_expires_at);
        END IF;
    END IF;
    UPDATE point_accounts a SET balance = account.balance + moved, debt = account.debt - owed,
        pending = a.pending - CASE WHEN p_contra = 'pending' THEN points ELSE 0 END,
        held = a.held - CASE WHEN p_contra = 'held' THEN points ELSE 0 END,
        last_sequence = a.last_sequence + (moved <> 0)::int, last_hash = coalesce(chained, a.last_hash)
    WHERE a.member_id = account.member_id;
    -- the cached balance of the profile changes with the account in the same statement: a second round trip
    -- per award would cost more than the rest of the posting
    UPDATE profiles p SET points_balance = account.balance + moved WHERE p.member_id = account.member_id;
END $$
"""

SHIFT = """
CREATE FUNCTION siyu_shift_points(
    p_member bigint, p_kind text, p_key text, p_amount bigint, p_side text, p_contra text, p_reason text,
    p_at timestamptz, p_actor text DEFAULT 'system', p_rule bigint DEFAULT NULL, p_event uuid DEFAULT NULL,
    p_reverses uuid DEFAULT NULL,
    OUT outcome text, OUT transaction_id uuid, OUT points bigint, OUT balance bigint, OUT debt bigint,
    OUT member_id bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    account point_accounts;
    known ledger_keys;
BEGIN
    -- signed points of the member's pending or held account; what can be spent stays as it is
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
    outcome := 'posted';
    transaction_id := siyu_ledger_id(p_at);
    INSERT INTO ledger_keys (key, transaction_id, occurred_at, amount) VALUES (p_key, transaction_id, p_at, points);
    INSERT INTO ledger_transactions
        (id, occurred_at, kind, key, reason, actor, rule_id, event_id, reverses_id)
    VALUES (transaction_id, p_at, p_kind, p_key, p_reason, p_actor, p_rule, p_event, p_reverses);
    INSERT INTO ledger_entries (transaction_id, position, occurred_at, account, member_id, amount)
    VALUES (transaction_id, 0, p_at, p_side, account.member_id, points),
           (transaction_id, 1, p_at, p_contra, NULL, -points);
    UPDATE point_accounts a SET
        pending = a.pending + CASE WHEN p_side = 'pending' THEN p_amount ELSE 0 END,
        held = a.held + CASE WHEN p_side = 'held' THEN p_amount ELSE 0 END
    WHERE a.member_id = account.member_id;
END $$
"""

CHAIN_STEP = """
CREATE FUNCTION siyu_chain_step(state bytea, head bytea, link bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN sha256(coalesce(state, head) || link);
END $$
"""
CHAIN = "CREATE AGGREGATE siyu_chain (head bytea, link bytea) (SFUNC = siyu_chain_step, STYPE = bytea)"

LINE = """
CREATE TYPE siyu_line AS (member_id bigint, transaction_id uuid, kind text, key text, moved bigint, repaid bigint,
    contra text, reason text, at timestamptz, rule_id bigint, event_id uuid)
"""

POST_SET = """
CREATE FUNCTION siyu_post_set(p_lines siyu_line[]) RETURNS void LANGUAGE sql AS $$
    -- like siyu_post_points for many lines in their order; the accounts are locked, the keys are new, lots are not its
    WITH line AS MATERIALIZED (
        SELECT * FROM unnest(p_lines) WITH ORDINALITY AS l (member_id, transaction_id, kind, key, moved, repaid,
            contra, reason, at, rule_id, event_id, number)
    ), numbered AS (
        SELECT l.*, a.last_hash AS head, a.last_sequence + row_number() OVER own AS sequence,
               (a.balance + sum(l.moved) OVER own)::bigint AS balance_after
        FROM line l JOIN point_accounts a ON a.member_id = l.member_id WHERE l.moved <> 0
        WINDOW own AS (PARTITION BY l.member_id ORDER BY l.number)
    ), chained AS MATERIALIZED (
        SELECT n.*, siyu_chain(n.head, convert_to(concat_ws('|', n.member_id, n.sequence, n.moved, n.balance_after,
            n.transaction_id, (extract(epoch FROM n.at) * 1000000)::bigint, n.kind, coalesce(n.rule_id::text, '-'),
            coalesce(n.event_id::text, '-'), '-', length(n.key), n.key, length(n.reason), n.reason, 'system'), 'UTF8'))
            OVER (PARTITION BY n.member_id ORDER BY n.number) AS hash
        FROM numbered n
    ), keys AS (
        INSERT INTO ledger_keys (key, transaction_id, occurred_at, amount)
        SELECT key, transaction_id, at, moved + repaid FROM line
    ), transactions AS (
        INSERT INTO ledger_transactions (id, occurred_at, kind, key, reason, rule_id, event_id)
        SELECT transaction_id, at, kind, key, reason, rule_id, event_id FROM line
    ), entries AS (
        INSERT INTO ledger_entries
            (transaction_id, position, occurred_at, account, member_id, amount, sequence, balance_after, hash)
        SELECT transaction_id, 0, at, 'member', member_id, moved, sequence, balance_after, hash FROM chained
        UNION ALL
        SELECT transaction_id, 1, at, 'debt', member_id, repaid, NULL, NULL, NULL FROM line WHERE repaid <> 0
        UNION ALL
        SELECT transaction_id, 2, at, contra, CASE WHEN contra = 'pending' THEN member_id END, -(moved + repaid),
            NULL, NULL, NULL FROM line
    ), ends AS (
        SELECT l.member_id, sum(l.moved) AS moved, sum(l.repaid) AS repaid, max(c.sequence) AS sequence,
               sum(l.moved + l.repaid) FILTER (WHERE l.contra = 'pending') AS activated
        FROM line l LEFT JOIN chained c ON c.number = l.number GROUP BY l.member_id
    ), accounts AS (
        UPDATE point_accounts a SET balance = a.balance + e.moved, debt = a.debt - e.repaid,
            pending = a.pending - coalesce(e.activated, 0),
            last_sequence = coalesce(c.sequence, a.last_sequence), last_hash = coalesce(c.hash, a.last_hash)
        FROM ends e LEFT JOIN chained c ON c.member_id = e.member_id AND c.sequence = e.sequence
        WHERE a.member_id = e.member_id
    )
    UPDATE profiles p SET points_balance = a.balance + e.moved
    FROM ends e JOIN point_accounts a ON a.member_id = e.member_id WHERE p.member_id = e.member_id
$$
"""

EXPIRE_SET = """
CREATE FUNCTION siyu_expire_lots(p_most bigint, p_member bigint DEFAULT NULL)
RETURNS TABLE (member_id bigint, points bigint, transaction_id uuid, balance bigint) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    owners bigint[];
    lots bigint[];
    lines siyu_line[];
BEGIN
    SELECT array_agg(found.member_id) INTO owners FROM (
        SELECT a.member_id FROM point_accounts a WHERE a.member_id IN (
            SELECT due.member_id FROM (
                SELECT l.member_id FROM point_lots l
                WHERE l.remaining > 0 AND l.expires_at <= siyu_now() AND (p_member IS NULL OR l.member_id = p_member)
                ORDER BY l.expires_at, l.id LIMIT p_most
            ) AS due
        ) ORDER BY a.member_id FOR UPDATE SKIP LOCKED
    ) AS found;
    IF owners IS NULL THEN
        RETURN;
    END IF;
    -- looked at again, now that nobody else can use them up
    SELECT array_agg(due.id ORDER BY due.number),
           array_agg(ROW(due.member_id, siyu_ledger_id(due.expires_at), 'expire', 'expire:' || due.id, -due.remaining,
               0, 'expiry', 'expired', due.expires_at, NULL, NULL)::siyu_line ORDER BY due.number)
    INTO lots, lines FROM (
        SELECT l.id, l.member_id, l.remaining, l.expires_at, row_number() OVER (ORDER BY l.expires_at, l.id) AS number
        FROM point_lots l
        WHERE l.member_id = ANY (owners) AND l.remaining > 0 AND l.expires_at <= siyu_now()
        ORDER BY l.expires_at, l.id LIMIT p_most
    ) AS due;
    IF lots IS NULL THEN
        RETURN;
    END IF;
    PERFORM siyu_post_set(lines);
    INSERT INTO lot_uses (transaction_id, lot_id, occurred_at, amount)
    SELECT line.transaction_id, lot.id, line.at, -line.moved
    FROM unnest(lots) WITH ORDINALITY AS lot (id, number)
    JOIN unnest(lines) WITH ORDINALITY AS line (member_id, transaction_id, kind, key, moved, repaid, contra, reason, at,
        rule_id, event_id, number) USING (number);
    UPDATE point_lots l SET remaining = 0 WHERE l.id = ANY (lots);
    RETURN QUERY SELECT line.member_id, -line.moved, line.transaction_id,
        (a.balance - sum(line.moved) OVER (PARTITION BY line.member_id ORDER BY line.number DESC) + line.moved)::bigint
    FROM unnest(lines) WITH ORDINALITY AS line (member_id, transaction_id, kind, key, moved, repaid, contra, reason, at,
        rule_id, event_id, number)
    JOIN point_accounts a ON a.member_id = line.member_id ORDER BY line.number;
END $$
"""

ACTIVATE_SET = """
CREATE FUNCTION siyu_activate_points(p_most bigint)
RETURNS TABLE (member_id bigint, points bigint, transaction_id uuid, balance bigint, reason text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    owners bigint[];
    keys text[];
    ends timestamptz[];
    lines siyu_line[];
BEGIN
    SELECT array_agg(found.member_id) INTO owners FROM (
        SELECT a.member_id FROM point_accounts a WHERE a.member_id IN (
            SELECT due.member_id FROM (
                SELECT p.member_id FROM pending_points p WHERE p.activates_at <= siyu_now()
                ORDER BY p.activates_at, p.key LIMIT p_most
            ) AS due
        ) ORDER BY a.member_id FOR UPDATE SKIP LOCKED
    ) AS found;
    IF owners IS NULL THEN
        RETURN;
    END IF;
    -- a debt is made good first, by the oldest of what becomes active
    SELECT array_agg(due.key ORDER BY due.number), array_agg(due.expires_at ORDER BY due.number),
           array_agg(ROW(due.member_id, siyu_ledger_id(due.activates_at), 'activate', 'activate:' || due.key,
               due.points - due.repaid, due.repaid, 'pending', due.reason, due.activates_at, due.rule_id,
               due.event_id)::siyu_line ORDER BY due.number)
    INTO keys, ends, lines FROM (
        SELECT w.*, least(w.running, a.debt) - least(w.running - w.points, a.debt) AS repaid
        FROM (
            SELECT p.*, sum(p.points) OVER (PARTITION BY p.member_id ORDER BY p.activates_at, p.key) AS running,
                   row_number() OVER (ORDER BY p.activates_at, p.key) AS number
            FROM (
                SELECT * FROM pending_points WHERE member_id = ANY (owners) AND activates_at <= siyu_now()
                ORDER BY activates_at, key LIMIT p_most
            ) AS p
        ) AS w JOIN point_accounts a ON a.member_id = w.member_id
    ) AS due;
    IF keys IS NULL THEN
        RETURN;
    END IF;
    PERFORM siyu_post_set(lines);
    INSERT INTO point_lots (member_id, transaction_id, points, remaining, earned_at, expires_at)
    SELECT line.member_id, line.transaction_id, line.moved, line.moved, line.at, lasts.until
    FROM unnest(lines) WITH ORDINALITY AS line (member_id, transaction_id, kind, key, moved, repaid, contra, reason, at,
        rule_id, event_id, number)
    JOIN unnest(ends) WITH ORDINALITY AS lasts (until, number) USING (number)
    WHERE line.moved > 0 ORDER BY number;
    DELETE FROM pending_points p WHERE p.key = ANY (keys);
    RETURN QUERY SELECT line.member_id, line.moved + line.repaid, line.transaction_id,
        (a.balance - sum(line.moved) OVER (PARTITION BY line.member_id ORDER BY line.number DESC) + line.moved)::bigint,
        line.reason
    FROM unnest(lines) WITH ORDINALITY AS line (member_id, transaction_id, kind, key, moved, repaid, contra, reason, at,
        rule_id, event_id, number)
    JOIN point_accounts a ON a.member_id = line.member_id ORDER BY line.number;
END $$
"""

REPLACED = ("siyu_post_points", "siyu_restore_lots")
"""Functions of r0011 whose parameters change."""
FUNCTIONS = (RESTORE_LOTS, POST, SHIFT, CHAIN_STEP, CHAIN, LINE, POST_SET, EXPIRE_SET, ACTIVATE_SET)
DROPPED = (
    "FUNCTION siyu_activate_points",
    "FUNCTION siyu_expire_lots",
    "FUNCTION siyu_post_set",
    "TYPE siyu_line",
    "AGGREGATE siyu_chain(bytea, bytea)",
    "FUNCTION siyu_chain_step",
    "FUNCTION siyu_shift_points",
    "FUNCTION siyu_post_points",
    "FUNCTION siyu_restore_lots",
)

LOCK_ACCOUNT = """
CREATE OR REPLACE FUNCTION siyu_lock_account(p_member bigint) RETURNS point_accounts LANGUAGE plpgsql AS $$
DECLARE
    account point_accounts;
    owner bigint := p_member;
BEGIN
    LOOP
        SELECT * INTO account FROM point_accounts WHERE member_id = owner FOR UPDATE;
        IF NOT FOUND THEN
            -- the member before the first account, as in a merge, which holds the member and then wants the account
            PERFORM FROM members WHERE id = owner FOR KEY SHARE;
            INSERT INTO point_accounts (member_id) VALUES (owner) ON CONFLICT DO NOTHING;
        ELSIF account.merged_into_id IS NULL THEN
            RETURN account;
        ELSE
            owner := account.merged_into_id;
        END IF;
    END LOOP;
END $$
"""
"""As revision r0011 has it, but for the lock of the member."""
