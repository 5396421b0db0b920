-- The whole life of a job: how long it may run, who goes first, what each attempt came to, and whom no mail may reach.

ALTER TABLE jobs
  ADD COLUMN key_scope     VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'FOREVER' AFTER job_key,
  ADD COLUMN priority      SMALLINT NOT NULL DEFAULT 5 AFTER state,
  ADD COLUMN timeout_s     INT NOT NULL DEFAULT 60 AFTER max_attempts,
  ADD COLUMN started_at    DATETIME(6) NULL AFTER lease_expires_at,
  ADD COLUMN deadline_at   DATETIME(6) NULL AFTER started_at,
  ADD COLUMN claimed_with  INT NOT NULL DEFAULT 1 AFTER deadline_at,
  ADD COLUMN isolated      TINYINT NOT NULL DEFAULT 0 AFTER claimed_with,
  ADD COLUMN worker_losses INT NOT NULL DEFAULT 0 AFTER isolated,
  ADD CONSTRAINT ck_jobs_key_scope CHECK (key_scope IN ('ACTIVE', 'FOREVER')),
  ADD CONSTRAINT ck_jobs_priority CHECK (priority BETWEEN 0 AND 1440),
  ADD CONSTRAINT ck_jobs_timeout CHECK (timeout_s >= 1),
  ADD CONSTRAINT ck_jobs_isolated CHECK (isolated IN (0, 1)),
  ADD CONSTRAINT ck_jobs_worker_losses CHECK (worker_losses >= 0);

-- A priority is a head start in minutes, so that the less urgent is passed by, and yet never starves.
-- queue_at is NULL unless the job waits: the index holds the queue and nothing else.
-- unique_key frees the key of a job of scope ACTIVE as soon as the job has ended.
-- dead_at spares every other job the upkeep of an index on its state.
ALTER TABLE jobs
  ADD COLUMN queue_at DATETIME(6)
    GENERATED ALWAYS AS (IF(state IN ('PENDING', 'FAILED'), due_at - INTERVAL priority MINUTE, NULL)) STORED,
  ADD COLUMN unique_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
    GENERATED ALWAYS AS (IF(key_scope = 'FOREVER' OR state NOT IN ('COMPLETED', 'DEAD'), job_key, NULL)) STORED,
  ADD COLUMN dead_at DATETIME(6) GENERATED ALWAYS AS (IF(state = 'DEAD', finished_at, NULL)) STORED;

ALTER TABLE jobs
  DROP INDEX uq_jobs_key,
  DROP INDEX ix_jobs_due,
  DROP INDEX ix_jobs_lease,
  ADD UNIQUE KEY uq_jobs_key (unique_key),
  ADD KEY ix_jobs_queue (queue_at, job_sid),
  ADD KEY ix_jobs_lease (lease_expires_at),
  ADD KEY ix_jobs_dead (dead_at, kind),
  ADD KEY ix_jobs_kind (kind, job_sid);

-- One row per attempt that has ended, written with its end. The lease token names it: attempts are counted anew after
-- a retry by hand, tokens never.
CREATE TABLE job_attempts (
  job_sid     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  lease_token BIGINT NOT NULL,
  attempt     INT NOT NULL,
  kind        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  worker      VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  started_at  DATETIME(6) NOT NULL,
  ended_at    DATETIME(6) NOT NULL,
  outcome     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  error_class VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NULL,
  message     TEXT NULL,
  PRIMARY KEY (job_sid, lease_token),
  KEY ix_job_attempts_ended (ended_at, kind, outcome),
  CONSTRAINT fk_job_attempts_job FOREIGN KEY (job_sid) REFERENCES jobs (job_sid),
  CONSTRAINT ck_job_attempts_outcome CHECK (outcome IN ('COMPLETED', 'FAILED', 'TIMED_OUT', 'LOST')),
  CONSTRAINT ck_job_attempts_error CHECK ((outcome = 'COMPLETED') = (error_class IS NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE mail_suppressions (
  address       VARCHAR(254) NOT NULL,
  reason        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  detail        VARCHAR(500) NOT NULL,
  feedback_id   VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  suppressed_at DATETIME(6) NOT NULL,
  PRIMARY KEY (address),
  CONSTRAINT ck_mail_suppressions_reason CHECK (reason IN ('BOUNCE', 'COMPLAINT'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
