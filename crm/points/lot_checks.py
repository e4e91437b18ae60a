"""What verification asks of lots: spent in their order and in their time, expired once each."""

# Whoever spends takes the lot that runs out first, of equals the one earned first. Of each use only the lots before it
# in that order that were open longer are looked at one by one: in a sound ledger those that came later, or had run out.
# A lot that ran out in the very seconds of the posting may be passed over: time goes on while a transaction is written.
LOT_CHECKS: dict[str, str] = {
    "expired lots are not spent": """
        SELECT 'transaction ' || t.id AS subject, 'spent lot ' || l.id || ' after it ran out' AS detail
        FROM lot_uses u
        JOIN ledger_transactions t ON t.id = u.transaction_id AND t.occurred_at = u.occurred_at
        JOIN point_lots l ON l.id = u.lot_id
        WHERE t.kind IN ('redeem', 'hold', 'adjust') AND l.expires_at <= t.recorded_at
    """,
    "expiry is of one lot, once, in its time": """
        SELECT 'lot ' || l.id AS subject,
               'was expired ' || count(*) || ' times, ' || l.remaining || ' points remain' AS detail
        FROM lot_uses u
        JOIN ledger_transactions t ON t.id = u.transaction_id AND t.occurred_at = u.occurred_at
        JOIN point_lots l ON l.id = u.lot_id
        WHERE t.kind = 'expire' GROUP BY l.id
        HAVING count(*) > 1 OR l.remaining > 0 OR bool_or(l.expires_at IS NULL OR l.expires_at > t.recorded_at)
        UNION ALL
        SELECT 'transaction ' || t.id, 'expired ' || count(u.lot_id) || ' lots'
        FROM ledger_transactions t
        LEFT JOIN lot_uses u ON u.transaction_id = t.id AND u.occurred_at = t.occurred_at
        WHERE t.kind = 'expire' GROUP BY t.id HAVING count(u.lot_id) <> 1
    """,
    "lots are spent in their order": """
        WITH used AS MATERIALIZED (
            SELECT u.lot_id, e.sequence, t.id, t.kind, t.recorded_at
            FROM lot_uses u
            JOIN ledger_transactions t ON t.id = u.transaction_id AND t.occurred_at = u.occurred_at
            JOIN ledger_entries e
                ON e.transaction_id = t.id AND e.occurred_at = t.occurred_at AND e.account = 'member'
        ), ends AS (
            SELECT lot_id, max(sequence) AS sequence FROM used GROUP BY lot_id
        ), lots AS MATERIALIZED (
            SELECT l.id, l.member_id, l.earned_at, coalesce(l.expires_at, 'infinity') AS expires_at, made.sequence,
                   CASE WHEN l.remaining > 0 THEN 9223372036854775807 ELSE coalesce(ends.sequence, 0) END AS open_until
            FROM point_lots l
            JOIN ledger_entries made
                ON made.transaction_id = l.transaction_id AND made.account = 'member' AND made.member_id = l.member_id
            LEFT JOIN ends ON ends.lot_id = l.id
        ), placed AS (
            SELECT *, max(open_until) OVER (PARTITION BY member_id ORDER BY expires_at, earned_at, id
                                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before_until
            FROM lots
        )
        SELECT 'transaction ' || used.id AS subject,
               'took points of lot ' || later.id || ' while lot ' || min(earlier.id) || ' had some' AS detail
        FROM used JOIN placed later ON later.id = used.lot_id AND later.before_until > used.sequence
        JOIN lots earlier ON earlier.member_id = later.member_id
            AND earlier.sequence < used.sequence AND earlier.open_until > used.sequence
            AND earlier.expires_at > used.recorded_at + interval '10 seconds'
            AND (earlier.expires_at, earlier.earned_at, earlier.id) < (later.expires_at, later.earned_at, later.id)
        WHERE used.kind IN ('redeem', 'hold', 'adjust')
        GROUP BY used.id, later.id
    """,
}
