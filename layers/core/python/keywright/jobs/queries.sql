-- name: read_clock
-- Leases and due times are kept by the one clock that all workers share.
SELECT UTC_TIMESTAMP(6) AS now

-- name: add_job
INSERT INTO jobs (job_sid, job_key, key_scope, kind, payload, state, priority, max_attempts, timeout_s, due_at,
                  correlation_id, created_at)
VALUES (%(job_sid)s, %(job_key)s, %(key_scope)s, %(kind)s, %(payload)s, 'PENDING', %(priority)s, %(max_attempts)s,
        %(timeout_s)s, %(due_at)s, %(correlation_id)s, %(now)s)

-- name: add_jobs
-- Many at once; a key that is known changes nothing. Parameters only: PyMySQL folds the rows into one statement.
INSERT INTO jobs (job_sid, job_key, key_scope, kind, payload, state, priority, max_attempts, timeout_s, due_at,
                  correlation_id, created_at)
VALUES (%(job_sid)s, %(job_key)s, %(key_scope)s, %(kind)s, %(payload)s, %(state)s, %(priority)s, %(max_attempts)s,
        %(timeout_s)s, %(due_at)s, %(correlation_id)s, %(now)s)
ON DUPLICATE KEY UPDATE job_key = VALUES(job_key)

-- name: lock_due
-- SKIP LOCKED: what another worker is claiming this very moment is its own. Ordered by the index, so that no more
-- rows are locked than are taken.
SELECT job_sid, kind, payload, attempts, max_attempts, lease_token, correlation_id, timeout_s, isolated
  FROM jobs FORCE INDEX (ix_jobs_queue)
 WHERE queue_at <= %(now)s AND due_at <= %(now)s
 ORDER BY queue_at, job_sid
 LIMIT %(limit)s
   FOR UPDATE SKIP LOCKED

-- name: lock_due_of
-- The same of certain jobs: a hint says which, and the row says whether.
SELECT job_sid, kind, payload, attempts, max_attempts, lease_token, correlation_id, timeout_s, isolated
  FROM jobs
 WHERE job_sid IN %(job_sids)s AND state IN ('PENDING', 'FAILED') AND due_at <= %(now)s
 ORDER BY queue_at, job_sid
   FOR UPDATE SKIP LOCKED

-- name: start_attempts
-- Attempts count at the claim, so that a job which kills its worker still comes to an end. The token is the fence:
-- it rises with every claim. The lease of a job that has begun never outlives its deadline, so that one look for
-- expired leases finds the lost and the endless.
UPDATE jobs
   SET state = 'RUNNING', attempts = attempts + 1, lease_token = lease_token + 1, lease_owner = %(owner)s,
       claimed_with = %(claimed_with)s,
       started_at = IF(%(begun)s, %(now)s, NULL),
       deadline_at = IF(%(begun)s, CAST(%(now)s AS DATETIME(6)) + INTERVAL timeout_s SECOND, NULL),
       lease_expires_at = IF(%(begun)s,
         LEAST(CAST(%(lease_expires_at)s AS DATETIME(6)), CAST(%(now)s AS DATETIME(6)) + INTERVAL timeout_s SECOND), %(lease_expires_at)s)
 WHERE job_sid IN %(job_sids)s

-- name: begin_job
-- A job out of a batch begins later than it was claimed: its time runs from here.
UPDATE jobs
   SET started_at = %(now)s, claimed_with = 1,
       deadline_at = CAST(%(now)s AS DATETIME(6)) + INTERVAL timeout_s SECOND,
       lease_expires_at = LEAST(CAST(%(lease_expires_at)s AS DATETIME(6)), CAST(%(now)s AS DATETIME(6)) + INTERVAL timeout_s SECOND)
 WHERE job_sid = %(job_sid)s AND state = 'RUNNING' AND lease_token = %(lease_token)s

-- name: renew_leases
-- A heartbeat, for one job or for all that a worker holds; a deadline is not moved.
UPDATE jobs
   SET lease_expires_at = LEAST(CAST(%(lease_expires_at)s AS DATETIME(6)), COALESCE(deadline_at, CAST(%(lease_expires_at)s AS DATETIME(6))))
 WHERE job_sid IN %(job_sids)s AND (job_sid, lease_token) IN %(leases)s AND state = 'RUNNING'

-- name: release_jobs
-- Claimed and not begun: the attempt is given back. The state is set before the count that it is read from.
UPDATE jobs
   SET state = IF(attempts > 1, 'FAILED', 'PENDING'), attempts = attempts - 1, lease_owner = NULL,
       lease_expires_at = NULL, started_at = NULL, deadline_at = NULL
 WHERE job_sid IN %(job_sids)s AND (job_sid, lease_token) IN %(leases)s AND state = 'RUNNING'

-- name: complete_jobs
UPDATE jobs
   SET state = 'COMPLETED', lease_owner = NULL, lease_expires_at = NULL, deadline_at = NULL, finished_at = %(now)s,
       last_error = NULL
 WHERE job_sid IN %(job_sids)s AND (job_sid, lease_token) IN %(leases)s AND state = 'RUNNING'

-- name: retry_job
UPDATE jobs
   SET state = 'FAILED', lease_owner = NULL, lease_expires_at = NULL, deadline_at = NULL, due_at = %(due_at)s,
       last_error = %(error)s
 WHERE job_sid = %(job_sid)s AND state = 'RUNNING' AND lease_token = %(lease_token)s

-- name: bury_job
UPDATE jobs
   SET state = 'DEAD', lease_owner = NULL, lease_expires_at = NULL, deadline_at = NULL, finished_at = %(now)s,
       last_error = %(error)s
 WHERE job_sid = %(job_sid)s AND state = 'RUNNING' AND lease_token = %(lease_token)s

-- name: record_attempts
-- After the fence has passed, and in its transaction: the row is ours, and its token still names the attempt.
INSERT INTO job_attempts (job_sid, lease_token, attempt, kind, worker, started_at, ended_at, outcome, error_class, message)
SELECT job_sid, lease_token, attempts, kind, %(worker)s, COALESCE(started_at, %(now)s), %(now)s, %(outcome)s,
       %(error_class)s, %(message)s
  FROM jobs
 WHERE job_sid IN %(job_sids)s

-- name: lock_expired
SELECT job_sid, kind, attempts, max_attempts, worker_losses, claimed_with, isolated, started_at IS NOT NULL AS begun,
       deadline_at, lease_owner
  FROM jobs FORCE INDEX (ix_jobs_lease)
 WHERE lease_expires_at <= %(now)s
 ORDER BY lease_expires_at
 LIMIT %(limit)s
   FOR UPDATE SKIP LOCKED

-- name: lock_expired_of
SELECT job_sid, kind, attempts, max_attempts, worker_losses, claimed_with, isolated, started_at IS NOT NULL AS begun,
       deadline_at, lease_owner
  FROM jobs
 WHERE job_sid IN %(job_sids)s AND lease_expires_at <= %(now)s
   FOR UPDATE SKIP LOCKED

-- name: recover_job
-- The caller holds the row, and has recorded the attempt. The token rises here too: whoever still has the old one
-- is refused from now on, not only from the next claim on.
UPDATE jobs
   SET state = %(state)s, attempts = %(attempts)s, worker_losses = %(worker_losses)s, isolated = %(isolated)s,
       due_at = %(due_at)s, lease_token = lease_token + 1, lease_owner = NULL, lease_expires_at = NULL,
       started_at = NULL, deadline_at = NULL, finished_at = IF(%(state)s = 'DEAD', %(now)s, NULL),
       last_error = %(error)s
 WHERE job_sid = %(job_sid)s

-- name: list_due
SELECT job_sid
  FROM jobs FORCE INDEX (ix_jobs_queue)
 WHERE queue_at <= %(now)s AND due_at <= %(now)s
 ORDER BY queue_at, job_sid
 LIMIT %(limit)s

-- name: list_jobs
-- The newest first: sids sort by time. The cursor is the last sid seen.
SELECT job_sid, job_key, key_scope, kind, payload, state, priority, attempts, max_attempts, worker_losses, due_at,
       lease_owner, lease_expires_at, started_at, last_error, correlation_id, created_at, finished_at
  FROM jobs
 WHERE (%(kind)s IS NULL OR kind = %(kind)s)
   AND (%(state)s IS NULL OR state = %(state)s)
   AND (%(created_before)s IS NULL OR created_at <= %(created_before)s)
   AND (%(before)s = '' OR job_sid < %(before)s)
 ORDER BY job_sid DESC
 LIMIT %(limit)s

-- name: find_job
SELECT job_sid, job_key, key_scope, kind, payload, state, priority, attempts, max_attempts, worker_losses, due_at,
       lease_owner, lease_expires_at, started_at, last_error, correlation_id, created_at, finished_at
  FROM jobs
 WHERE job_sid = %(job_sid)s

-- name: lock_job
SELECT job_sid, job_key, key_scope, kind, payload, state, priority, attempts, max_attempts, worker_losses, due_at,
       lease_owner, lease_expires_at, started_at, last_error, correlation_id, created_at, finished_at
  FROM jobs
 WHERE job_sid = %(job_sid)s
   FOR UPDATE

-- name: list_attempts
SELECT attempt, worker, started_at, ended_at, outcome, error_class, message
  FROM job_attempts
 WHERE job_sid = %(job_sid)s
 ORDER BY lease_token DESC
 LIMIT %(limit)s

-- name: revive_job
-- By hand: everything that was counted against the job is forgotten; its history stays.
UPDATE jobs
   SET state = 'PENDING', attempts = 0, worker_losses = 0, due_at = %(due_at)s, finished_at = NULL, last_error = NULL
 WHERE job_sid = %(job_sid)s AND state IN ('DEAD', 'FAILED')

-- name: read_waits
SELECT kind, MIN(due_at) AS oldest
  FROM jobs
 WHERE queue_at <= %(now)s AND due_at <= %(now)s
 GROUP BY kind

-- name: count_dead
SELECT kind, COUNT(*) AS jobs
  FROM jobs
 WHERE dead_at >= %(since)s
 GROUP BY kind

-- name: count_ended
SELECT kind, outcome, COUNT(*) AS attempts
  FROM job_attempts
 WHERE ended_at >= %(since)s AND ended_at < %(until)s
 GROUP BY kind, outcome

-- name: list_old_attempts
SELECT job_sid, lease_token FROM job_attempts WHERE ended_at < %(before)s ORDER BY ended_at LIMIT %(limit)s

-- name: drop_attempts
-- By key: a range delete would lock the gaps between.
DELETE FROM job_attempts WHERE (job_sid, lease_token) IN %(attempts)s

-- name: list_old_jobs
-- A job whose key is unique for ever stays: it is what keeps the second one away.
SELECT job_sid
  FROM jobs
 WHERE state = 'COMPLETED' AND key_scope = 'ACTIVE' AND finished_at < %(before)s
   AND NOT EXISTS (SELECT 1 FROM job_attempts WHERE job_attempts.job_sid = jobs.job_sid)
 LIMIT %(limit)s

-- name: drop_jobs
DELETE FROM jobs WHERE job_sid IN %(job_sids)s
