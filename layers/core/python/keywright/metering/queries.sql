-- name: find_profile
-- What decides about a license's usage beside the license itself. known_end: its running period is remembered.
SELECT p.metadata, i.current_period_start, i.current_period_end, s.ended_at, c.stripe_customer_id, u.period_end AS known_end
  FROM licenses l
  JOIN products p ON p.product_id = l.product_id
  JOIN customers c ON c.customer_sid = l.customer_sid
  LEFT JOIN subscription_items i ON l.source_kind = 'SUBSCRIPTION_ITEM' AND i.item_id = l.source_id
  LEFT JOIN subscriptions s ON s.subscription_id = i.subscription_id
  LEFT JOIN usage_periods u ON u.license_sid = l.license_sid AND u.period_start = i.current_period_start
 WHERE l.license_sid = %(license_sid)s

-- name: find_owner
-- Whom to write to about a license's usage.
SELECT c.name, c.billing_email, d.domain_name
  FROM licenses l
  JOIN customers c ON c.customer_sid = l.customer_sid
  JOIN domains d ON d.customer_sid = l.customer_sid AND d.domain_sid = l.domain_sid
 WHERE l.license_sid = %(license_sid)s

-- name: lock_account
-- Held until commit: writers of a license's usage take turns, and a cut waits for the one under way.
SELECT cut_at FROM usage_accounts WHERE license_sid = %(license_sid)s FOR UPDATE

-- name: add_account
INSERT INTO usage_accounts (license_sid, customer_sid, cut_at, created_at)
VALUES (%(license_sid)s, %(customer_sid)s, %(now)s, %(now)s)
ON DUPLICATE KEY UPDATE license_sid = VALUES(license_sid)

-- name: add_events
INSERT INTO usage_events (license_sid, event_id, meter, quantity, occurred_at, stored_at, distinct_key, properties)
VALUES (%(license_sid)s, %(event_id)s, %(meter)s, %(quantity)s, %(occurred_at)s, %(stored_at)s, %(distinct_key)s, %(properties)s)

-- name: list_events
SELECT event_id, meter, quantity, occurred_at, properties
  FROM usage_events
 WHERE license_sid = %(license_sid)s AND event_id IN %(event_ids)s

-- name: list_known_keys
-- Which of some things a unique count has counted already.
SELECT DISTINCT distinct_key
  FROM usage_events
 WHERE license_sid = %(license_sid)s AND meter = %(meter)s
   AND occurred_at >= %(span_start)s AND occurred_at < %(span_end)s AND distinct_key IN %(distinct_keys)s

-- name: add_to_windows
-- Everything but a unique count is kept up to date here. last_quantity comes first: it looks at what stands behind it,
-- and so does due_at: a window that has gathered so many events does not wait for the end of its hour.
INSERT INTO usage_windows (license_sid, meter, window_start, window_end, aggregation, event_count, sum_quantity, max_quantity,
       last_quantity, last_at, last_id, stored_until, pending_events, due_at)
VALUES (%(license_sid)s, %(meter)s, %(window_start)s, %(window_end)s, %(aggregation)s, %(event_count)s, %(sum_quantity)s,
       %(max_quantity)s, %(last_quantity)s, %(last_at)s, %(last_id)s, %(stored_until)s, %(event_count)s, %(due_at)s)
ON DUPLICATE KEY UPDATE
       last_quantity = IF(VALUES(last_at) > last_at OR (VALUES(last_at) = last_at AND VALUES(last_id) > last_id),
                          VALUES(last_quantity), last_quantity),
       last_id = IF(VALUES(last_at) > last_at OR (VALUES(last_at) = last_at AND VALUES(last_id) > last_id),
                    VALUES(last_id), last_id),
       last_at = GREATEST(last_at, VALUES(last_at)),
       event_count = event_count + VALUES(event_count),
       sum_quantity = sum_quantity + VALUES(sum_quantity),
       max_quantity = GREATEST(max_quantity, VALUES(max_quantity)),
       due_at = LEAST(COALESCE(due_at, VALUES(due_at)), VALUES(due_at),
                      IF(pending_events + VALUES(event_count) >= 10000, VALUES(stored_until), VALUES(due_at))),
       stored_until = GREATEST(stored_until, VALUES(stored_until)),
       pending_events = pending_events + VALUES(event_count)

-- name: add_period
INSERT INTO usage_periods (license_sid, period_start, period_end, created_at)
VALUES (%(license_sid)s, %(period_start)s, %(period_end)s, %(now)s)
ON DUPLICATE KEY UPDATE period_end = IF(billed_at IS NULL, VALUES(period_end), period_end)

-- name: list_periods
SELECT period_start, period_end, billed_at
  FROM usage_periods
 WHERE license_sid = %(license_sid)s
 ORDER BY period_start DESC
 LIMIT 40

-- name: raise_cut
-- The row lock waits for every writer under way, and those to come find the cut.
UPDATE usage_accounts
   SET cut_at = GREATEST(cut_at, %(stored_before)s)
 WHERE license_sid = %(license_sid)s

-- name: find_aggregation
-- The aggregation of the newest window in a span.
SELECT aggregation
  FROM usage_windows
 WHERE license_sid = %(license_sid)s AND meter = %(meter)s
   AND window_start < %(span_end)s AND window_end > %(span_start)s
 ORDER BY window_start DESC
 LIMIT 1

-- name: add_up
-- What was stored before the cut, under every aggregation but the last value. What has no key of its own was counted
-- where it comes from.
SELECT SUM(quantity) AS sum_quantity, MAX(quantity) AS max_quantity, COUNT(DISTINCT distinct_key) AS different,
       SUM(CASE WHEN distinct_key IS NULL THEN quantity ELSE 0 END) AS counted_elsewhere
  FROM usage_events
 WHERE license_sid = %(license_sid)s AND meter = %(meter)s
   AND occurred_at >= %(span_start)s AND occurred_at < %(span_end)s AND stored_at < %(stored_before)s

-- name: find_last
SELECT quantity
  FROM usage_events
 WHERE license_sid = %(license_sid)s AND meter = %(meter)s
   AND occurred_at >= %(span_start)s AND occurred_at < %(span_end)s AND stored_at < %(stored_before)s
 ORDER BY occurred_at DESC, event_id DESC
 LIMIT 1

-- name: total_of_windows
-- What windows add up to, sealed or not; the newest one has the last value.
SELECT COALESCE(SUM(sum_quantity), 0) AS sum_quantity, COALESCE(MAX(max_quantity), 0) AS max_quantity
  FROM usage_windows
 WHERE license_sid = %(license_sid)s AND meter = %(meter)s
   AND window_start >= %(span_start)s AND window_start < %(span_end)s

-- name: list_cut_windows
SELECT meter, window_start, window_end, aggregation
  FROM usage_windows
 WHERE license_sid = %(license_sid)s AND window_start < %(boundary)s AND window_end > %(boundary)s
 LIMIT 1000

-- name: window_of_events
-- A window's columns, added up anew from its events.
SELECT COUNT(event_id) AS event_count, COALESCE(SUM(quantity), 0) AS sum_quantity, COALESCE(MAX(quantity), 0) AS max_quantity,
       MAX(occurred_at) AS last_at, MAX(stored_at) AS stored_until
  FROM usage_events
 WHERE license_sid = %(license_sid)s AND meter = %(meter)s AND occurred_at >= %(span_start)s AND occurred_at < %(span_end)s

-- name: set_window
-- One event more than none waits, so that a seal that counted too much is made good even where nothing is left.
INSERT INTO usage_windows (license_sid, meter, window_start, window_end, aggregation, event_count, sum_quantity, max_quantity,
       last_quantity, last_at, last_id, stored_until, pending_events, due_at)
VALUES (%(license_sid)s, %(meter)s, %(span_start)s, %(span_end)s, %(aggregation)s, %(event_count)s, %(sum_quantity)s,
       %(max_quantity)s, %(last_quantity)s, %(last_at)s, %(last_id)s, %(stored_until)s, GREATEST(1, %(event_count)s), %(now)s)
ON DUPLICATE KEY UPDATE window_end = VALUES(window_end), event_count = VALUES(event_count),
       sum_quantity = VALUES(sum_quantity), max_quantity = VALUES(max_quantity), last_quantity = VALUES(last_quantity),
       last_at = VALUES(last_at), last_id = VALUES(last_id), stored_until = VALUES(stored_until),
       pending_events = VALUES(pending_events), due_at = VALUES(due_at)

-- name: find_newest
SELECT event_id, quantity
  FROM usage_events
 WHERE license_sid = %(license_sid)s AND meter = %(meter)s AND occurred_at = %(last_at)s
 ORDER BY event_id DESC
 LIMIT 1

-- name: list_due_licenses
SELECT DISTINCT license_sid FROM usage_windows WHERE due_at <= %(now)s ORDER BY license_sid LIMIT %(limit)s

-- name: list_due_windows
SELECT meter, window_start, window_end, aggregation, sum_quantity, stored_until, revision
  FROM usage_windows
 WHERE license_sid = %(license_sid)s AND due_at <= %(now)s
 ORDER BY window_start, meter
 LIMIT %(limit)s

-- name: hurry_period
-- A period's bill is made: what waits in its windows is sealed for it.
UPDATE usage_windows
   SET due_at = %(now)s
 WHERE license_sid = %(license_sid)s AND window_start >= %(period_start)s AND window_start < %(period_end)s AND due_at > %(now)s

-- name: mark_sealed
UPDATE usage_windows
   SET revision = %(revision)s, pending_events = 0, due_at = NULL
 WHERE license_sid = %(license_sid)s AND meter = %(meter)s AND window_start = %(window_start)s

-- name: find_account
SELECT a.customer_sid, a.cut_at, l.source_kind, l.source_id
  FROM usage_accounts a
  JOIN licenses l ON l.license_sid = a.license_sid
 WHERE a.license_sid = %(license_sid)s

-- name: list_closing
-- Periods whose bill is about to be made.
SELECT license_sid, period_start, period_end
  FROM usage_periods
 WHERE billed_at IS NULL AND period_end <= %(ended_before)s
 ORDER BY period_end, license_sid
 LIMIT %(limit)s

-- name: close_period
UPDATE usage_periods
   SET billed_at = %(billed_at)s
 WHERE license_sid = %(license_sid)s AND period_start = %(period_start)s AND billed_at IS NULL

-- name: list_shortened
-- Licenses whose subscription ended within a period that is not billed yet.
SELECT p.license_sid
  FROM usage_periods p
  JOIN licenses l ON l.license_sid = p.license_sid AND l.source_kind = 'SUBSCRIPTION_ITEM'
  JOIN subscription_items i ON i.item_id = l.source_id
  JOIN subscriptions s ON s.subscription_id = i.subscription_id
 WHERE p.billed_at IS NULL AND s.ended_at > p.period_start AND s.ended_at < p.period_end
 ORDER BY p.license_sid
 LIMIT %(limit)s

-- name: sealed_in_window
SELECT COALESCE(SUM(quantity), 0) AS quantity
  FROM usage_revisions
 WHERE license_sid = %(license_sid)s AND meter = %(meter)s AND window_start = %(window_start)s

-- name: sealed_in_period
SELECT COALESCE(SUM(quantity), 0) AS quantity
  FROM usage_revisions
 WHERE license_sid = %(license_sid)s AND meter = %(meter)s AND period_start = %(period_start)s

-- name: add_revision
INSERT INTO usage_revisions (license_sid, meter, window_start, revision, customer_sid, identifier, period_start, period_end,
       quantity, route, late_policy, state, code, stored_before, counted_at, stripe_customer_id, settled_at, sealed_at)
VALUES (%(license_sid)s, %(meter)s, %(window_start)s, %(revision)s, %(customer_sid)s, %(identifier)s, %(period_start)s,
       %(period_end)s, %(quantity)s, %(route)s, %(late_policy)s, %(state)s, %(code)s, %(stored_before)s, %(counted_at)s,
       %(stripe_customer_id)s, %(settled_at)s, %(now)s)

-- name: list_sealed
-- What is still to be told to the sink of meters; what was tried last comes last.
SELECT r.identifier, r.license_sid, r.customer_sid, r.meter, r.window_start, r.period_start, r.period_end, r.quantity, r.route,
       r.state, r.counted_at, COALESCE(r.stripe_customer_id, c.stripe_customer_id) AS stripe_customer_id, r.first_attempt_at,
       r.last_attempt_at, r.pushed_at
  FROM usage_revisions r
  JOIN customers c ON c.customer_sid = r.customer_sid
 WHERE r.state = 'SEALED' AND r.route = 'METER' AND (r.last_attempt_at IS NULL OR r.last_attempt_at < %(tried_before)s)
 ORDER BY r.sealed_at, r.identifier
 LIMIT %(limit)s

-- name: find_period_of
SELECT period_start, period_end, billed_at
  FROM usage_periods
 WHERE license_sid = %(license_sid)s AND period_start <= %(moment)s AND period_end > %(moment)s
 LIMIT 1

-- name: note_attempts
UPDATE usage_revisions
   SET first_attempt_at = COALESCE(first_attempt_at, %(now)s), last_attempt_at = %(now)s, pushed_at = NULL
 WHERE identifier IN %(identifiers)s AND state = 'SEALED'

-- name: forget_attempts
-- The sink says that they never arrived.
UPDATE usage_revisions
   SET first_attempt_at = NULL, last_attempt_at = NULL
 WHERE identifier IN %(identifiers)s AND state = 'SEALED'

-- name: rename
-- It was refused, and the sink says that it does not count it: another id, of which nothing is known.
UPDATE usage_revisions
   SET identifier = %(new_identifier)s, first_attempt_at = NULL, last_attempt_at = NULL, pushed_at = NULL
 WHERE identifier = %(identifier)s AND state = 'SEALED'

-- name: mark_pushed
-- Not what was refused and taken up again while the sink answered: that answer is older than the refusal.
UPDATE usage_revisions
   SET state = 'PUSHED', pushed_at = %(now)s
 WHERE identifier IN %(identifiers)s AND state = 'SEALED' AND pushed_at IS NULL

-- name: mark_arrived
-- By the sink's own sum.
UPDATE usage_revisions SET state = 'PUSHED', pushed_at = %(now)s WHERE identifier IN %(identifiers)s AND state = 'SEALED'

-- name: mark_confirmed
UPDATE usage_revisions SET state = 'CONFIRMED', settled_at = %(now)s WHERE identifier IN %(identifiers)s AND state = 'PUSHED'

-- name: reject
-- What is billed otherwise by now is none of the business of whoever refused it.
UPDATE usage_revisions
   SET state = 'REJECTED', code = %(code)s, settled_at = %(now)s
 WHERE identifier = %(identifier)s AND route = %(route)s AND state IN ('SEALED', 'PUSHED', 'CONFIRMED')

-- name: move
UPDATE usage_revisions
   SET route = %(route)s, counted_at = %(counted_at)s, late_policy = %(late_policy)s, state = %(state)s, code = %(code)s,
       settled_at = %(settled_at)s, first_attempt_at = NULL, last_attempt_at = NULL
 WHERE identifier = %(identifier)s AND state = 'SEALED'

-- name: list_told
-- Everything that a sink adds up in one span for a customer's meter, or may have counted.
SELECT identifier, license_sid, customer_sid, meter, window_start, period_start, period_end, quantity, route, state, counted_at,
       stripe_customer_id, first_attempt_at, last_attempt_at, pushed_at
  FROM usage_revisions
 WHERE stripe_customer_id = %(stripe_customer_id)s AND meter = %(meter)s
   AND counted_at >= %(span_start)s AND counted_at < %(span_end)s
   AND route = 'METER' AND (state IN ('PUSHED', 'CONFIRMED') OR state = 'SEALED' AND first_attempt_at IS NOT NULL)
 ORDER BY sealed_at, identifier
 LIMIT 20000

-- name: list_unconfirmed
-- Whose usage was told a while ago and not compared since, and in which span.
SELECT stripe_customer_id, meter, MIN(counted_at) AS first_at, MAX(counted_at) AS last_at
  FROM usage_revisions
 WHERE state = 'PUSHED' AND route = 'METER' AND pushed_at < %(pushed_before)s
 GROUP BY stripe_customer_id, meter
 ORDER BY MIN(pushed_at)
 LIMIT %(limit)s

-- name: find_revision
SELECT identifier, license_sid, customer_sid, meter, window_start, period_start, period_end, quantity, route, state, counted_at,
       stripe_customer_id, first_attempt_at, last_attempt_at, pushed_at
  FROM usage_revisions
 WHERE identifier = %(identifier)s

-- name: list_windows
-- A license's windows in a span, each with its newest revision and what was refused of it.
SELECT w.meter, w.window_start, w.window_end, w.aggregation, w.event_count, w.sum_quantity, w.max_quantity, w.last_quantity,
       w.pending_events, r.state, r.code,
       (SELECT COALESCE(SUM(x.quantity), 0)
          FROM usage_revisions x
         WHERE x.license_sid = w.license_sid AND x.meter = w.meter AND x.window_start = w.window_start
           AND x.state = 'REJECTED') AS refused
  FROM usage_windows w
  JOIN licenses l ON l.license_sid = w.license_sid
  LEFT JOIN usage_revisions r ON r.license_sid = w.license_sid AND r.meter = w.meter AND r.window_start = w.window_start
   AND r.revision = w.revision
 WHERE w.license_sid = %(license_sid)s AND l.customer_sid = %(customer_sid)s
   AND (%(meter)s IS NULL OR w.meter = %(meter)s)
   AND w.window_start >= %(span_start)s AND w.window_start < %(span_end)s
 ORDER BY w.window_start, w.meter
 LIMIT %(limit)s

-- name: list_events_of
-- The rows behind one revision: the window's events that were stored since the seal before it.
SELECT e.event_id, e.meter, e.quantity, e.occurred_at, e.distinct_key, e.properties
  FROM usage_revisions r
  JOIN usage_windows w ON w.license_sid = r.license_sid AND w.meter = r.meter AND w.window_start = r.window_start
  JOIN usage_events e ON e.license_sid = r.license_sid AND e.meter = r.meter
   AND e.occurred_at >= w.window_start AND e.occurred_at < w.window_end AND e.stored_at < r.stored_before
  LEFT JOIN usage_revisions p ON p.license_sid = r.license_sid AND p.meter = r.meter AND p.window_start = r.window_start
   AND p.revision = r.revision - 1
 WHERE r.identifier = %(identifier)s AND (p.stored_before IS NULL OR e.stored_at >= p.stored_before)
 ORDER BY e.occurred_at, e.event_id
 LIMIT 100000
