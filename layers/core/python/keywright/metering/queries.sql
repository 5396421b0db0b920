-- name: find_profile
-- What decides about a license's usage beside the license itself.
SELECT p.metadata, i.current_period_start, i.current_period_end, s.ended_at, c.stripe_customer_id
  FROM licenses l
  JOIN products p ON p.product_id = l.product_id
  JOIN customers c ON c.customer_sid = l.customer_sid
  LEFT JOIN subscription_items i ON l.source_kind = 'SUBSCRIPTION_ITEM' AND i.item_id = l.source_id
  LEFT JOIN subscriptions s ON s.subscription_id = i.subscription_id
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
-- Everything but a unique count is kept up to date here. last_quantity comes first: it looks at what stands behind it.
INSERT INTO usage_windows (license_sid, meter, window_start, window_end, aggregation, event_count, sum_quantity, max_quantity,
       last_quantity, last_at, last_id, pending_events, due_at)
VALUES (%(license_sid)s, %(meter)s, %(window_start)s, %(window_end)s, %(aggregation)s, %(event_count)s, %(sum_quantity)s,
       %(max_quantity)s, %(last_quantity)s, %(last_at)s, %(last_id)s, %(event_count)s, %(due_at)s)
ON DUPLICATE KEY UPDATE
       last_quantity = IF(VALUES(last_at) > last_at OR (VALUES(last_at) = last_at AND VALUES(last_id) > last_id),
                          VALUES(last_quantity), last_quantity),
       last_id = IF(VALUES(last_at) > last_at OR (VALUES(last_at) = last_at AND VALUES(last_id) > last_id),
                    VALUES(last_id), last_id),
       last_at = GREATEST(last_at, VALUES(last_at)),
       event_count = event_count + VALUES(event_count),
       sum_quantity = sum_quantity + VALUES(sum_quantity),
       max_quantity = GREATEST(max_quantity, VALUES(max_quantity)),
       due_at = LEAST(COALESCE(due_at, VALUES(due_at)), VALUES(due_at)),
       pending_events = pending_events + VALUES(event_count)

-- name: hurry_windows
-- Windows that have gathered too much to wait for the end of their hour.
UPDATE usage_windows
   SET due_at = %(now)s
 WHERE license_sid = %(license_sid)s AND (meter, window_start) IN %(windows)s
   AND pending_events >= %(push_events)s AND due_at > %(now)s

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
