-- Comparing ourselves with Stripe. A run is one look at everything of its kind, page by page; the page, what it mended and
-- where the next one begins are committed together.

CREATE TABLE reconciliation_runs (
  run_sid      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind         VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  confirms     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  step         INT NOT NULL DEFAULT 0,
  page_cursor  VARCHAR(600) CHARACTER SET ascii COLLATE ascii_bin NULL,
  window_start DATETIME(6) NULL,
  covers_at    DATETIME(6) NOT NULL,
  examined     BIGINT NOT NULL DEFAULT 0,
  received     BIGINT NOT NULL DEFAULT 0,
  drift_found  BIGINT NOT NULL DEFAULT 0,
  failures     INT NOT NULL DEFAULT 0,
  error        TEXT NULL,
  started_at   DATETIME(6) NOT NULL,
  touched_at   DATETIME(6) NOT NULL,
  finished_at  DATETIME(6) NULL,
  updated_at   DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  running_kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
    GENERATED ALWAYS AS (CASE WHEN state = 'RUNNING' THEN kind END) STORED,
  PRIMARY KEY (run_sid),
  UNIQUE KEY uq_reconciliation_runs_running (running_kind),
  KEY ix_reconciliation_runs_kind (kind, run_sid),
  CONSTRAINT ck_reconciliation_runs_kind CHECK (kind IN ('event-gap', 'object-sweep', 'license-sweep')),
  CONSTRAINT ck_reconciliation_runs_state CHECK (state IN ('RUNNING', 'COMPLETE', 'FAILED')),
  CONSTRAINT ck_reconciliation_runs_finished CHECK ((state = 'RUNNING') = (finished_at IS NULL)),
  CONSTRAINT ck_reconciliation_runs_error CHECK ((state = 'FAILED') = (error IS NOT NULL)),
  CONSTRAINT ck_reconciliation_runs_complete CHECK (state <> 'COMPLETE' OR page_cursor IS NULL)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The cursor of each kind: checked_through says up to when everything at Stripe is accounted for.
CREATE TABLE reconciliation_progress (
  kind            VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  checked_through DATETIME(6) NULL,
  last_success_at DATETIME(6) NULL,
  last_failure_at DATETIME(6) NULL,
  last_error      TEXT NULL,
  updated_at      DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (kind),
  CONSTRAINT ck_reconciliation_progress_kind CHECK (kind IN ('event-gap', 'object-sweep', 'license-sweep')),
  CONSTRAINT ck_reconciliation_progress_success CHECK ((checked_through IS NULL) = (last_success_at IS NULL)),
  CONSTRAINT ck_reconciliation_progress_failure CHECK ((last_failure_at IS NULL) = (last_error IS NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
