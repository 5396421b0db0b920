-- name: add_event
-- A plain INSERT: the table refuses updates, so an upsert would fail on the second delivery.
INSERT INTO stripe_events (event_id, event_type, object_id, created_at, api_version, livemode, account_id, body, received_at,
       source, headers)
VALUES (%(event_id)s, %(event_type)s, %(object_id)s, %(moment)s, %(api_version)s, %(livemode)s, %(account_id)s,
       _binary %(body)s, %(now)s, %(source)s, %(headers)s)

-- name: add_work
INSERT INTO stripe_event_work (event_id, state, due_at, created_at, correlation_id)
VALUES (%(event_id)s, 'RECEIVED', %(now)s, %(now)s, %(correlation_id)s)

-- name: lock_work
-- The work row is locked, never the inbox row: a second delivery must not wait for the fold.
-- So the body is read by a statement of its own: FOR UPDATE locks the rows of every table that it joins.
SELECT attempts, failures FROM stripe_event_work WHERE event_id = %(event_id)s AND state IN ('RECEIVED', 'PARKED') FOR UPDATE

-- name: get_body
SELECT body FROM stripe_events WHERE event_id = %(event_id)s

-- name: find_work_state
SELECT state FROM stripe_event_work WHERE event_id = %(event_id)s

-- name: find_latest
SELECT body FROM stripe_events WHERE object_id = %(object_id)s ORDER BY created_at DESC, event_id DESC LIMIT 1

-- name: list_bodies
-- The bound is far beyond any object's life; were it reached, the oldest would be left out.
SELECT body FROM stripe_events WHERE object_id = %(object_id)s ORDER BY created_at DESC, event_id LIMIT 5000

-- name: list_received
SELECT body, received_at
  FROM stripe_events
 WHERE object_id IN %(object_ids)s AND received_at <= %(received_by)s
 ORDER BY created_at, event_id
 LIMIT 5000

-- name: list_known
SELECT event_id
  FROM stripe_events
 WHERE object_id = %(object_id)s AND created_at >= %(since)s AND received_at <= %(received_by)s
 ORDER BY event_id
 LIMIT 1000

-- name: find_ignored
SELECT e.event_id
  FROM stripe_events e
  JOIN stripe_event_work w ON w.event_id = e.event_id
 WHERE e.object_id = %(object_id)s AND w.state = 'IGNORED'
 LIMIT 1

-- name: ensure_lock
-- The no-op update does not upgrade a shared lock, which would be a deadlock between two that come at once.
INSERT INTO stripe_locks (lock_key) VALUES (%(lock_key)s) ON DUPLICATE KEY UPDATE lock_key = VALUES(lock_key)

-- name: take_lock
SELECT lock_key FROM stripe_locks WHERE lock_key = %(lock_key)s FOR UPDATE

-- name: save_doubt
INSERT INTO stripe_doubts (object_id, object_type, reason, since)
VALUES (%(object_id)s, %(object_type)s, %(reason)s, %(since)s)
ON DUPLICATE KEY UPDATE reason = VALUES(reason), since = VALUES(since)

-- name: remove_doubt
DELETE FROM stripe_doubts WHERE object_id = %(object_id)s

-- name: find_doubt
SELECT reason FROM stripe_doubts WHERE object_id = %(object_id)s

-- name: add_refetch
INSERT INTO stripe_refetches (object_type, object_id, reason, asked_at)
VALUES (%(object_type)s, %(object_id)s, %(reason)s, %(asked_at)s)

-- name: count_refetches
SELECT COUNT(*) AS n FROM stripe_refetches WHERE asked_at >= %(since)s

-- name: finish_work
-- Whatever failed before, this time it did not.
UPDATE stripe_event_work
   SET state = %(state)s, reason = %(reason)s, waiting_for = %(waiting_for)s, reconsider_on = %(reconsider_on)s,
       due_at = %(due_at)s, attempts = attempts + 1, failures = 0
 WHERE event_id = %(event_id)s

-- name: fail_work
-- In a transaction of its own, after the fold rolled back.
UPDATE stripe_event_work
   SET attempts = attempts + 1, failures = failures + 1, reason = %(reason)s, due_at = %(due_at)s,
       waiting_for = CASE WHEN failures >= %(max_failures)s THEN NULL ELSE waiting_for END,
       state = CASE WHEN failures >= %(max_failures)s THEN 'DEAD' ELSE state END
 WHERE event_id = %(event_id)s AND state IN ('RECEIVED', 'PARKED')

-- name: list_waiting
SELECT event_id FROM stripe_event_work WHERE waiting_for = %(waiting_for)s AND state = 'PARKED' LIMIT 1000

-- name: release
-- Due at once: if the hint is lost, the dispatcher must not wait for the time of the next look.
UPDATE stripe_event_work
   SET state = 'RECEIVED', waiting_for = NULL, due_at = %(now)s
 WHERE event_id IN %(event_ids)s AND state = 'PARKED'

-- name: list_reconsidered
SELECT event_id FROM stripe_event_work WHERE reconsider_on = %(reconsider_on)s ORDER BY event_id LIMIT 1000

-- name: reopen
UPDATE stripe_event_work
   SET state = 'RECEIVED', reason = NULL, waiting_for = NULL, reconsider_on = NULL, attempts = 0, failures = 0, due_at = %(now)s
 WHERE event_id IN %(event_ids)s AND state <> 'RECEIVED'

-- name: list_stuck
-- Stored, not folded, and older than a hint normally takes.
SELECT event_id
  FROM stripe_event_work
 WHERE state IN ('RECEIVED', 'PARKED') AND due_at <= %(before)s
 ORDER BY due_at
 LIMIT %(limit)s

-- name: lock_any_work
-- Whatever state it is in; locked alone, as every work row is.
SELECT event_id FROM stripe_event_work WHERE event_id = %(event_id)s FOR UPDATE

-- name: list_events
-- Those that came last first. Both parts of the cursor, because many events come at once.
SELECT e.event_id, e.event_type, e.object_id, w.state, w.reason, w.waiting_for, w.attempts, w.failures, w.due_at,
       w.created_at AS received_at, e.created_at, e.source, e.headers
  FROM stripe_event_work w
  JOIN stripe_events e ON e.event_id = w.event_id
 WHERE (%(state)s IS NULL OR w.state = %(state)s)
   AND (%(event_type)s IS NULL OR e.event_type = %(event_type)s)
   AND (%(object_id)s IS NULL OR e.object_id = %(object_id)s)
   AND (%(before_at)s IS NULL OR w.created_at < %(before_at)s
    OR (w.created_at = %(before_at)s AND w.event_id < %(before_id)s))
 ORDER BY w.created_at DESC, w.event_id DESC
 LIMIT %(limit)s

-- name: find_event
SELECT e.event_id, e.event_type, e.object_id, w.state, w.reason, w.waiting_for, w.attempts, w.failures, w.due_at,
       w.created_at AS received_at, e.created_at, e.source, e.headers
  FROM stripe_event_work w
  JOIN stripe_events e ON e.event_id = w.event_id
 WHERE w.event_id = %(event_id)s

-- name: read_work_figures
SELECT state, COUNT(*) AS events, MIN(created_at) AS oldest
  FROM stripe_event_work
 WHERE state IN ('RECEIVED', 'PARKED', 'DEAD')
 GROUP BY state
