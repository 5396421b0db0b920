-- name: add_job
INSERT INTO jobs (job_sid, job_key, kind, payload, state, max_attempts, due_at, correlation_id, created_at)
VALUES (%(job_sid)s, %(job_key)s, %(kind)s, %(payload)s, 'PENDING', %(max_attempts)s, %(due_at)s, %(correlation_id)s, %(now)s)

-- name: lock_claimable
-- SKIP LOCKED: another worker that is claiming this very job wins, and we go away at once.
SELECT job_sid, kind, payload, attempts, max_attempts, lease_token, correlation_id
  FROM jobs
 WHERE job_sid = %(job_sid)s
   AND (state IN ('PENDING', 'FAILED') AND due_at <= %(now)s OR state = 'RUNNING' AND lease_expires_at <= %(now)s)
   FOR UPDATE SKIP LOCKED

-- name: start_attempt
-- Attempts count at the claim, so that a job which kills its worker still comes to an end.
UPDATE jobs
   SET state = 'RUNNING', attempts = attempts + 1, lease_token = lease_token + 1, lease_owner = %(owner)s,
       lease_expires_at = %(lease_expires_at)s
 WHERE job_sid = %(job_sid)s

-- name: complete_job
UPDATE jobs
   SET state = 'COMPLETED', lease_owner = NULL, lease_expires_at = NULL, finished_at = %(now)s, last_error = NULL
 WHERE job_sid = %(job_sid)s AND state = 'RUNNING' AND lease_token = %(lease_token)s

-- name: retry_job
UPDATE jobs
   SET state = 'FAILED', lease_owner = NULL, lease_expires_at = NULL, due_at = %(due_at)s, last_error = %(error)s
 WHERE job_sid = %(job_sid)s AND state = 'RUNNING' AND lease_token = %(lease_token)s

-- name: bury_job
UPDATE jobs
   SET state = 'DEAD', lease_owner = NULL, lease_expires_at = NULL, finished_at = %(now)s, last_error = %(error)s
 WHERE job_sid = %(job_sid)s AND state = 'RUNNING' AND lease_token = %(lease_token)s

-- name: bury_exhausted
-- A worker died during the last attempt: nobody is left to say so but the next claim.
UPDATE jobs
   SET state = 'DEAD', lease_owner = NULL, lease_expires_at = NULL, finished_at = %(now)s,
       last_error = 'The worker was lost during the last attempt.'
 WHERE job_sid = %(job_sid)s

-- name: list_due
SELECT job_sid
  FROM jobs
 WHERE state IN ('PENDING', 'FAILED') AND due_at <= %(now)s
 ORDER BY due_at, job_sid
 LIMIT %(limit)s

-- name: list_abandoned
SELECT job_sid FROM jobs WHERE state = 'RUNNING' AND lease_expires_at <= %(now)s ORDER BY lease_expires_at LIMIT %(limit)s
