-- The audit log and the job table: what every domain writes beside its own rows, in the same transaction.

CREATE TABLE audit_log (
  audit_id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  created_at     DATETIME(6) NOT NULL,
  actor_kind     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  actor_sid      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  action         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject_sid    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  old_value      TEXT NULL,
  new_value      TEXT NULL,
  correlation_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL,
  PRIMARY KEY (audit_id),
  KEY ix_audit_log_subject (subject_sid, audit_id),
  CONSTRAINT ck_audit_log_actor CHECK (actor_kind IN ('USER', 'STRIPE', 'SYSTEM', 'OPERATOR')
    AND ((actor_kind = 'USER') = (actor_sid IS NOT NULL)))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log is append-only';

CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log is append-only';

-- A job is an intention, committed with its cause. job_key makes it unique for ever: a second enqueue is no work.
CREATE TABLE jobs (
  job_sid          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  job_key          VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind             VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payload          TEXT NOT NULL,
  state            VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  attempts         INT NOT NULL DEFAULT 0,
  max_attempts     INT NOT NULL,
  due_at           DATETIME(6) NOT NULL,
  lease_owner      VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NULL,
  lease_token      BIGINT NOT NULL DEFAULT 0,
  lease_expires_at DATETIME(6) NULL,
  last_error       TEXT NULL,
  correlation_id   VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at       DATETIME(6) NOT NULL,
  finished_at      DATETIME(6) NULL,
  updated_at       DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (job_sid),
  UNIQUE KEY uq_jobs_key (job_key),
  KEY ix_jobs_due (state, due_at, job_sid),
  KEY ix_jobs_lease (state, lease_expires_at),
  CONSTRAINT ck_jobs_state CHECK (state IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'DEAD')),
  CONSTRAINT ck_jobs_lease CHECK ((state = 'RUNNING') = (lease_expires_at IS NOT NULL)
    AND (lease_owner IS NULL) = (lease_expires_at IS NULL)),
  CONSTRAINT ck_jobs_finished CHECK ((state IN ('COMPLETED', 'DEAD')) = (finished_at IS NOT NULL)),
  CONSTRAINT ck_jobs_attempts CHECK (attempts BETWEEN 0 AND max_attempts AND max_attempts >= 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
