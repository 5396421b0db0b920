-- name: claim_record
-- Whoever inserts the row may work; whoever finds it reads what came of it.
INSERT INTO idempotency_records (record_key, state, payload_hash, claimed_until, expires_at)
VALUES (%(record_key)s, 'INPROGRESS', %(payload_hash)s, %(claimed_until)s, %(expires_at)s)

-- name: reclaim_record
-- A record that has expired, or whose worker ran out of time, is as good as none. One statement: only one caller wins.
UPDATE idempotency_records
   SET state = 'INPROGRESS', answer = NULL, payload_hash = %(payload_hash)s, claimed_until = %(claimed_until)s,
       expires_at = %(expires_at)s
 WHERE record_key = %(record_key)s
   AND (expires_at <= %(now_s)s OR (state = 'INPROGRESS' AND claimed_until < %(now_ms)s))

-- name: find_record
SELECT state, payload_hash, answer, claimed_until, expires_at
  FROM idempotency_records
 WHERE record_key = %(record_key)s

-- name: complete_record
UPDATE idempotency_records
   SET state = 'COMPLETED', answer = %(answer)s, expires_at = %(expires_at)s
 WHERE record_key = %(record_key)s

-- name: drop_record
DELETE FROM idempotency_records WHERE record_key = %(record_key)s

-- name: drop_expired
DELETE FROM idempotency_records WHERE expires_at <= %(now_s)s LIMIT %(limit)s
