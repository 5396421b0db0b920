-- name: lock_progress
SELECT kind, checked_through, last_success_at, last_failure_at, last_error
  FROM reconciliation_progress
 WHERE kind = %(kind)s
   FOR UPDATE

-- name: ensure_progress
-- Insert first, lock then: two who begin a run of one kind take turns.
INSERT INTO reconciliation_progress (kind) VALUES (%(kind)s) ON DUPLICATE KEY UPDATE kind = VALUES(kind)

-- name: find_latest_run
SELECT run_sid, kind, state, confirms, step, page_cursor, window_start, covers_at, drift_found, touched_at
  FROM reconciliation_runs
 WHERE kind = %(kind)s
 ORDER BY run_sid DESC
 LIMIT 1

-- name: lock_run
SELECT run_sid, kind, state, confirms, step, page_cursor, window_start, covers_at, drift_found, touched_at
  FROM reconciliation_runs
 WHERE run_sid = %(run_sid)s
   FOR UPDATE

-- name: add_run
INSERT INTO reconciliation_runs (run_sid, kind, state, confirms, page_cursor, window_start, covers_at, started_at, touched_at)
VALUES (%(run_sid)s, %(kind)s, 'RUNNING', %(confirms)s, %(page_cursor)s, %(window_start)s, %(covers_at)s, %(now)s, %(now)s)

-- name: resume_run
UPDATE reconciliation_runs
   SET state = 'RUNNING', error = NULL, finished_at = NULL, touched_at = %(now)s
 WHERE run_sid = %(run_sid)s AND state = 'FAILED'

-- name: turn_page
UPDATE reconciliation_runs
   SET step = step + 1, page_cursor = %(page_cursor)s, examined = examined + %(examined)s, received = received + %(received)s,
       drift_found = drift_found + %(drift)s, touched_at = %(now)s
 WHERE run_sid = %(run_sid)s AND state = 'RUNNING'

-- name: complete_run
UPDATE reconciliation_runs
   SET state = 'COMPLETE', finished_at = %(now)s
 WHERE run_sid = %(run_sid)s AND state = 'RUNNING' AND page_cursor IS NULL

-- name: fail_run
UPDATE reconciliation_runs
   SET state = 'FAILED', error = %(error)s, failures = failures + 1, finished_at = %(now)s, touched_at = %(now)s
 WHERE run_sid = %(run_sid)s AND state = 'RUNNING'

-- name: record_success
UPDATE reconciliation_progress
   SET checked_through = %(checked_through)s, last_success_at = %(now)s
 WHERE kind = %(kind)s

-- name: record_failure
UPDATE reconciliation_progress SET last_failure_at = %(now)s, last_error = %(error)s WHERE kind = %(kind)s

-- name: save_drift
-- A difference that was found before and is still there keeps its row, and since when it has been there.
INSERT INTO reconciliation_drift (run_sid, kind, object_type, object_id, field_name, ours, theirs, cause, found_at)
VALUES (%(run_sid)s, %(kind)s, %(object_type)s, %(object_id)s, %(field)s, %(ours)s, %(theirs)s, %(cause)s, %(now)s)
ON DUPLICATE KEY UPDATE run_sid = VALUES(run_sid), ours = VALUES(ours), theirs = VALUES(theirs), cause = VALUES(cause)

-- name: heal_drift
-- Whatever was looked at in this run, and not found again by it, is gone.
UPDATE reconciliation_drift
   SET healed_at = %(now)s
 WHERE kind = %(kind)s AND object_id IN %(object_ids)s AND healed_at IS NULL AND run_sid <> %(run_sid)s

-- name: keep_drift
UPDATE reconciliation_drift
   SET run_sid = %(run_sid)s
 WHERE kind = %(kind)s AND object_id IN %(object_ids)s AND healed_at IS NULL

-- name: list_healed_events
SELECT r.object_id
  FROM reconciliation_drift r
  JOIN stripe_event_work w ON w.event_id = r.object_id
 WHERE r.kind = 'event-gap' AND r.healed_at IS NULL AND w.state IN ('PROCESSED', 'IGNORED')
 ORDER BY r.drift_id
 LIMIT %(limit)s

-- name: list_open_objects
-- What an earlier look found and this one, with the runs that it goes on with, did not: once it is complete, that is gone.
SELECT d.object_id
  FROM reconciliation_drift d
  JOIN reconciliation_runs r ON r.run_sid = d.run_sid
 WHERE d.kind = %(kind)s AND d.healed_at IS NULL AND r.covers_at < %(covers_at)s
 ORDER BY d.drift_id
 LIMIT %(limit)s

-- name: list_progress
SELECT p.kind, p.checked_through, p.last_success_at, p.last_failure_at, p.last_error, r.state, r.page_cursor, r.examined,
       r.touched_at
  FROM reconciliation_progress p
  LEFT JOIN reconciliation_runs r
    ON r.run_sid = (SELECT MAX(latest.run_sid) FROM reconciliation_runs latest WHERE latest.kind = p.kind)
 WHERE p.kind IN %(kinds)s

-- name: list_drift_counts
SELECT kind, COUNT(*) AS found, SUM(CASE WHEN healed_at IS NULL THEN 0 ELSE 1 END) AS healed
  FROM reconciliation_drift
 WHERE kind IN %(kinds)s
 GROUP BY kind

-- name: list_latest_drift
SELECT kind, object_type, object_id, field_name AS field, ours, theirs, cause, found_at, healed_at
  FROM reconciliation_drift
 ORDER BY drift_id DESC
 LIMIT %(limit)s

-- name: list_stored
-- What the inbox holds about objects, and what became of it.
SELECT e.object_id, w.state, w.reason, w.waiting_for, e.received_at
  FROM stripe_events e
  JOIN stripe_event_work w ON w.event_id = e.event_id
 WHERE e.object_id IN %(object_ids)s
 ORDER BY e.object_id, e.created_at, e.event_id

-- name: list_stuck
-- By both parts of the place: many events are due in one moment.
SELECT event_id, state, waiting_for, due_at
  FROM stripe_event_work
 WHERE state IN ('RECEIVED', 'PARKED') AND due_at <= %(before)s
   AND due_at >= %(after_due)s AND (due_at > %(after_due)s OR event_id > %(after_id)s)
 ORDER BY due_at, event_id
 LIMIT %(limit)s

-- name: list_subscriptions
SELECT subscription_id, stripe_customer_id, status, cancel_at_period_end, cancel_at, canceled_at, ended_at, trial_end,
       pause_behavior, pause_resumes_at, default_payment_method_id, latest_invoice_id, created_at, metadata
  FROM subscriptions
 WHERE subscription_id IN %(subscription_ids)s

-- name: list_items
SELECT item_id, subscription_id, price_id, quantity, current_period_start, current_period_end
  FROM subscription_items
 WHERE subscription_id IN %(subscription_ids)s

-- name: list_invoices
SELECT invoice_id, subscription_id, invoice_number, status, currency, amount_due, amount_paid, amount_remaining, total,
       attempted, attempt_count, billing_reason, collection_method, created_at, due_at, next_attempt_at, finalized_at, paid_at
  FROM invoices
 WHERE invoice_id IN %(invoice_ids)s

-- name: list_lines
SELECT invoice_id, line_id, price_id, subscription_item_id, description, quantity, amount, currency, proration, period_start,
       period_end
  FROM invoice_lines
 WHERE invoice_id IN %(invoice_ids)s

-- name: list_paid_items
-- What subscriptions that have not ended are paid for, or were, and the licenses that there are for it.
SELECT i.item_id, i.subscription_id, s.status, i.current_period_end, p.product_id, COUNT(l.license_sid) AS licenses,
       MIN(l.license_sid) AS license_sid, MIN(l.state) AS state, MIN(l.expires_at) AS expires_at
  FROM subscription_items i
  JOIN subscriptions s ON s.subscription_id = i.subscription_id
  JOIN prices p ON p.price_id = i.price_id
  LEFT JOIN licenses l ON l.source_id = i.item_id
 WHERE i.item_id > %(after)s AND s.status IN ('active', 'trialing', 'past_due', 'unpaid', 'paused')
 GROUP BY i.item_id, i.subscription_id, s.status, i.current_period_end, p.product_id
 ORDER BY i.item_id
 LIMIT %(limit)s

-- name: list_paid_sessions
-- What was paid once, and the licenses that there are for it.
SELECT c.checkout_session_sid, c.stripe_session_id, p.product_id, COUNT(l.license_sid) AS licenses
  FROM checkout_sessions c
  JOIN prices p ON p.price_id = c.price_id
  LEFT JOIN licenses l ON l.source_id = c.stripe_session_id
 WHERE c.checkout_session_sid > %(after)s AND c.mode = 'payment' AND c.state = 'COMPLETE'
   AND c.payment_status IN ('paid', 'no_payment_required')
 GROUP BY c.checkout_session_sid, c.stripe_session_id, p.product_id
 ORDER BY c.checkout_session_sid
 LIMIT %(limit)s

-- name: list_licenses
-- Licenses, what they say of themselves, and what pays for them.
SELECT l.license_sid, l.source_kind, l.source_id, l.state, l.causes, l.expires_at, l.review_at, i.subscription_id, s.status,
       c.payment_status, f.token,
       (SELECT MIN(o.license_sid)
          FROM licenses o
          LEFT JOIN subscription_items oi ON oi.item_id = o.source_id
         WHERE o.customer_sid = l.customer_sid AND o.domain_sid = l.domain_sid AND o.product_id = l.product_id
           AND o.license_sid < l.license_sid AND o.source_kind <> 'CONTRACT_SUBSCRIPTION'
           AND o.state NOT IN ('CANCELED', 'EXPIRED', 'REVOKED')
           AND l.state NOT IN ('CANCELED', 'EXPIRED', 'REVOKED')
           AND NOT COALESCE(oi.subscription_id = i.subscription_id, FALSE)) AS bought_before
  FROM licenses l
  JOIN license_files f ON f.license_sid = l.license_sid AND f.seq = l.current_seq
  LEFT JOIN subscription_items i ON i.item_id = l.source_id
  LEFT JOIN subscriptions s ON s.subscription_id = i.subscription_id
  LEFT JOIN checkout_sessions c ON c.stripe_session_id = l.source_id
 WHERE l.license_sid > %(after)s AND l.source_kind <> 'CONTRACT_SUBSCRIPTION'
 ORDER BY l.license_sid
 LIMIT %(limit)s

-- name: list_payment_intents
SELECT payment_intent_id, stripe_customer_id, latest_charge_id, status, amount, amount_received, currency, created_at
  FROM payment_intents
 WHERE payment_intent_id IN %(payment_intent_ids)s

-- name: list_charges
SELECT charge_id, stripe_customer_id, payment_intent_id, status, amount, amount_captured, amount_refunded, currency,
       failure_code, card_brand, card_last4, card_exp_month, card_exp_year, created_at
  FROM charges
 WHERE charge_id IN %(charge_ids)s

-- name: list_refunds
SELECT refund_id, charge_id, payment_intent_id, status, amount, currency, reason, created_at
  FROM refunds
 WHERE refund_id IN %(refund_ids)s

-- name: list_disputes
SELECT dispute_id, charge_id, payment_intent_id, status, amount, currency, reason, created_at
  FROM disputes
 WHERE dispute_id IN %(dispute_ids)s

-- name: list_invoice_payments
SELECT invoice_id, payment_id FROM invoice_payments WHERE invoice_id IN %(invoice_ids)s

-- name: list_payment_methods
SELECT payment_method_id, stripe_customer_id, method_type, card_brand, card_last4, card_exp_month, card_exp_year, created_at
  FROM payment_methods
 WHERE payment_method_id IN %(payment_method_ids)s

-- name: list_sessions
SELECT stripe_session_id, state, payment_status, subscription_id, payment_intent_id
  FROM checkout_sessions
 WHERE stripe_session_id IN %(stripe_session_ids)s

-- name: read_drift_figures
-- What is open, since when the oldest of it is, and what was found lately.
SELECT kind, SUM(CASE WHEN healed_at IS NULL THEN 1 ELSE 0 END) AS open_now,
       MIN(CASE WHEN healed_at IS NULL THEN found_at END) AS oldest,
       SUM(CASE WHEN found_at >= %(since)s AND found_at < %(until)s THEN 1 ELSE 0 END) AS found
  FROM reconciliation_drift
 WHERE (healed_at IS NULL OR found_at >= %(since)s) AND kind IN %(kinds)s
 GROUP BY kind
