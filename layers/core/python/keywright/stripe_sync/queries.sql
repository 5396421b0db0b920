-- name: add_event
-- A plain INSERT: the table refuses updates, so an upsert would fail on the second delivery.
INSERT INTO stripe_events (event_id, event_type, object_id, created_at, api_version, livemode, account_id, body, received_at)
VALUES (%(event_id)s, %(event_type)s, %(object_id)s, %(moment)s, %(api_version)s, %(livemode)s, %(account_id)s,
       _binary %(body)s, %(now)s)

-- name: add_work
INSERT INTO stripe_event_work (event_id, state, due_at, created_at)
VALUES (%(event_id)s, 'RECEIVED', %(now)s, %(now)s)

-- name: lock_work
-- The work row is locked, never the inbox row: a second delivery must not wait for the fold.
-- So the body is read by a statement of its own: FOR UPDATE locks the rows of every table that it joins.
SELECT attempts FROM stripe_event_work WHERE event_id = %(event_id)s AND state IN ('RECEIVED', 'PARKED') FOR UPDATE

-- name: get_body
SELECT body FROM stripe_events WHERE event_id = %(event_id)s

-- name: find_work_state
SELECT state FROM stripe_event_work WHERE event_id = %(event_id)s

-- name: find_latest
SELECT body FROM stripe_events WHERE object_id = %(object_id)s ORDER BY created_at DESC, event_id DESC LIMIT 1

-- name: finish_work
UPDATE stripe_event_work
   SET state = %(state)s, reason = %(reason)s, waiting_for = %(waiting_for)s, due_at = %(due_at)s, attempts = attempts + 1
 WHERE event_id = %(event_id)s

-- name: fail_work
-- In a transaction of its own, after the fold rolled back.
UPDATE stripe_event_work
   SET attempts = attempts + 1, reason = %(reason)s, due_at = %(due_at)s,
       state = CASE WHEN attempts >= %(max_attempts)s THEN 'DEAD' ELSE state END
 WHERE event_id = %(event_id)s AND state = 'RECEIVED'

-- name: list_waiting
SELECT event_id FROM stripe_event_work WHERE waiting_for = %(waiting_for)s AND state = 'PARKED' LIMIT 1000

-- name: release
UPDATE stripe_event_work SET state = 'RECEIVED', waiting_for = NULL WHERE event_id IN %(event_ids)s AND state = 'PARKED'

-- name: list_stuck
-- Stored, not folded, and older than a hint normally takes.
SELECT event_id
  FROM stripe_event_work
 WHERE state IN ('RECEIVED', 'PARKED') AND due_at <= %(before)s
 ORDER BY due_at
 LIMIT %(limit)s
