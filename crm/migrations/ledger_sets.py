"""PL/pgSQL of the points ledger as revision r0045 changes it: several earnings are posted as a set.

What is small and called for every row is PL/pgSQL too: its plans are kept, where a function in SQL begins anew.
"""

NOW = """
CREATE OR REPLACE FUNCTION siyu_now() RETURNS timestamptz LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN coalesce(nullif(current_setting('siyu.now', true), '')::timestamptz, clock_timestamp());
END $$
"""

ENTRY_HASH = """
CREATE OR REPLACE FUNCTION siyu_entry_hash(previous bytea, member bigint, sequence bigint, amount bigint,
    balance_after bigint, transaction_id uuid, occurred_at timestamptz, kind text, key text, reason text, actor text,
    rule_id bigint, event_id uuid, reverses_id uuid) RETURNS bytea LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN sha256(previous || convert_to(concat_ws('|', member, sequence, amount, balance_after, transaction_id,
        (extract(epoch FROM occurred_at) * 1000000)::bigint, kind, coalesce(rule_id::text, '-'),
        coalesce(event_id::text, '-'), coalesce(reverses_id::text, '-'),
        length(key), key, length(reason), reason, actor), 'UTF8'));
END $$
"""

USE_LOTS = """
CREATE FUNCTION siyu_use_lots(p_member bigint, p_transaction uuid, p_at timestamptz, p_amount bigint,
    p_even_expired boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH open AS (
        SELECT id, remaining, sum(remaining) OVER (ORDER BY expires_at NULLS LAST, earned_at, id) - remaining AS before
        FROM point_lots
        WHERE member_id = p_member AND remaining > 0
          AND (p_even_expired OR expires_at IS NULL OR expires_at > (SELECT siyu_now()))
    ), used AS (
        SELECT id, least(remaining, p_amount - before) AS amount FROM open WHERE before < p_amount
    ), changed AS (
        UPDATE point_lots SET remaining = remaining - used.amount FROM used WHERE point_lots.id = used.id
    )
    INSERT INTO lot_uses (transaction_id, lot_id, occurred_at, amount) SELECT p_transaction, id, p_at, amount FROM used;
END $$
"""

POST = """
CREATE FUNCTION siyu_post_points(
    p_member bigint, p_kind text, p_key text, p_amount bigint, p_contra text, p_reason text,
    p_at timestamptz, p_actor text DEFAULT 'system', p_expires_at timestamptz DEFAULT NULL,
    p_rule bigint DEFAULT NULL, p_event uuid DEFAULT NULL, p_reverses uuid DEFAULT NULL,
    p_restores uuid DEFAULT NULL, p_restores_at timestamptz DEFAULT NULL,
    p_may_owe boolean DEFAULT false, p_write_off boolean DEFAULT false,
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
        WHERE l.member_id = account.member_id AND l.remaining > 0
          AND (p_may_owe OR l.expires_at IS NULL OR l.expires_at > (SELECT siyu_now()));
        moved := -least(-points, spendable);
        IF moved <> points AND NOT p_may_owe THEN
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
        PERFORM siyu_use_lots(account.member_id, transaction_id, p_at, -moved, p_may_owe);
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

POST_SET = """
CREATE OR REPLACE FUNCTION siyu_post_set(p_lines siyu_line[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
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
        INSERT INTO ledger_transactions (id, occurred_at, recorded_at, kind, key, reason, rule_id, event_id)
        SELECT transaction_id, at, (SELECT siyu_now()), kind, key, reason, rule_id, event_id FROM line
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
    FROM ends e JOIN point_accounts a ON a.member_id = e.member_id WHERE p.member_id = e.member_id;
END $$
"""
"""Planned once and for any number of lines: planning takes longer than posting a few of them."""

POSTING = """
CREATE TYPE siyu_posting AS (member_id bigint, kind text, key text, points bigint, contra text, reason text,
    occurred_at timestamptz, actor text, expires_at timestamptz, rule_id bigint, event_id uuid, reverses_id uuid,
    restores_id uuid, restores_at timestamptz, may_owe boolean, write_off boolean)
"""

POST_LINES = """
CREATE FUNCTION siyu_post_lines(p_lines siyu_posting[])
RETURNS TABLE (outcome text, transaction_id uuid, points bigint, balance bigint, debt bigint, member_id bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    asked bigint[];
    accounts point_accounts[];
    lines siyu_line[];
BEGIN
    -- what members simply earned is a set, unless one of it was posted before; fewer lines are faster one by one
    IF cardinality(p_lines) > 3
       AND NOT EXISTS (SELECT FROM unnest(p_lines) AS l WHERE l.kind <> 'earn' OR l.actor <> 'system' OR l.points <= 0)
       AND (SELECT count(*) = count(DISTINCT l.key) FROM unnest(p_lines) AS l) THEN
        SELECT array_agg(l.member_id), array_agg(siyu_lock_account(l.member_id)) INTO asked, accounts
        FROM (SELECT DISTINCT member_id FROM unnest(p_lines) ORDER BY member_id) AS l;
        IF NOT EXISTS (SELECT FROM unnest(p_lines) AS l JOIN ledger_keys k ON k.key = l.key) THEN
            -- a debt is made good first, in the order of the lines
            SELECT array_agg(ROW(w.owner, siyu_ledger_id(w.occurred_at), w.kind, w.key, w.points - w.repaid, w.repaid,
                w.contra, w.reason, w.occurred_at, w.rule_id, w.event_id)::siyu_line ORDER BY w.ordinality)
            INTO lines FROM (
                SELECT l.*, a.member_id AS owner, least(sum(l.points) OVER own, a.debt)
                    - least(sum(l.points) OVER own - l.points, a.debt) AS repaid
                FROM unnest(p_lines) WITH ORDINALITY AS l
                JOIN unnest(asked) WITH ORDINALITY AS o (member_id, place) ON o.member_id = l.member_id
                JOIN unnest(accounts) WITH ORDINALITY AS a ON a.ordinality = o.place
                WINDOW own AS (PARTITION BY a.member_id ORDER BY l.ordinality)
            ) AS w;
            PERFORM siyu_post_set(lines);
            INSERT INTO point_lots (member_id, transaction_id, points, remaining, earned_at, expires_at)
            SELECT line.member_id, line.transaction_id, line.moved, line.moved, line.at, l.expires_at
            FROM unnest(lines) WITH ORDINALITY AS line JOIN unnest(p_lines) WITH ORDINALITY AS l USING (ordinality)
            WHERE line.moved > 0 ORDER BY ordinality;
            RETURN QUERY SELECT 'posted', line.transaction_id, line.moved + line.repaid,
                (a.balance + sum(line.moved) OVER own)::bigint, (a.debt - sum(line.repaid) OVER own)::bigint,
                line.member_id
            FROM unnest(lines) WITH ORDINALITY AS line
            JOIN (SELECT DISTINCT member_id, balance, debt FROM unnest(accounts)) AS a USING (member_id)
            WINDOW own AS (PARTITION BY line.member_id ORDER BY line.ordinality) ORDER BY line.ordinality;
            RETURN;
        END IF;
    END IF;
    RETURN QUERY SELECT p.outcome, p.transaction_id, p.points, p.balance, p.debt, p.member_id
    FROM unnest(p_lines) AS l, LATERAL siyu_post_points(l.member_id, l.kind, l.key, l.points, l.contra, l.reason,
        l.occurred_at, l.actor, l.expires_at, l.rule_id, l.event_id, l.reverses_id, l.restores_id, l.restores_at,
        l.may_owe, l.write_off) AS p;
END $$
"""
"""Lines as the service writes them, in their order; answers a row for each, as `siyu_post_points` does."""

FUNCTIONS = (NOW, ENTRY_HASH, USE_LOTS, POST, POST_SET, POSTING, POST_LINES)
CHANGED = ("siyu_use_lots", "siyu_post_points")
"""Functions whose parameters change: before there was one for a lot."""
