-- What customers used: every event for ever, and the windows in which it is added up and told to whoever bills it.

-- One row per license that reports, locked by each writer. Whatever is stored from now on is stored at cut_at or later,
-- so a sum over what was stored before a cut is the same for ever.
CREATE TABLE usage_accounts (
  license_sid  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  cut_at       DATETIME(6) NOT NULL,
  created_at   DATETIME(6) NOT NULL,
  updated_at   DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (license_sid),
  UNIQUE KEY uq_usage_accounts_owner (customer_sid, license_sid),
  CONSTRAINT fk_usage_accounts_license FOREIGN KEY (license_sid) REFERENCES licenses (license_sid),
  CONSTRAINT fk_usage_accounts_customer FOREIGN KEY (customer_sid) REFERENCES customers (customer_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The key is the sender's id: a repeated event finds it taken, however late it comes; if it says
-- something else it is a conflict. distinct_key is what a unique count counts.
CREATE TABLE usage_events (
  license_sid  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  event_id     VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  meter        VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  quantity     DECIMAL(27, 12) NOT NULL,
  occurred_at  DATETIME(6) NOT NULL,
  stored_at    DATETIME(6) NOT NULL,
  distinct_key CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  properties   TEXT NULL,
  PRIMARY KEY (license_sid, event_id),
  KEY ix_usage_events_time (license_sid, meter, occurred_at),
  CONSTRAINT fk_usage_events_account FOREIGN KEY (license_sid) REFERENCES usage_accounts (license_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TRIGGER usage_events_no_update BEFORE UPDATE ON usage_events
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'usage_events is append-only';

CREATE TRIGGER usage_events_no_delete BEFORE DELETE ON usage_events
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'usage_events is append-only';

-- Billing periods as they were known when usage fell into them. billed_at is the cut: what was stored before it is on
-- the period's bill, what came after it is late.
CREATE TABLE usage_periods (
  license_sid  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  period_start DATETIME(6) NOT NULL,
  period_end   DATETIME(6) NOT NULL,
  billed_at    DATETIME(6) NULL,
  created_at   DATETIME(6) NOT NULL,
  updated_at   DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (license_sid, period_start),
  KEY ix_usage_periods_open (billed_at, period_end),
  CONSTRAINT fk_usage_periods_account FOREIGN KEY (license_sid) REFERENCES usage_accounts (license_sid),
  CONSTRAINT ck_usage_periods_span CHECK (period_end > period_start),
  CONSTRAINT ck_usage_periods_billed CHECK (billed_at IS NULL OR billed_at >= period_end)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- An hour, or the part of it that one billing period has. due_at says when what is in it and not yet sealed is to be
-- sealed; without it nothing waits. stored_until is when its newest event was stored, revision counts the seals.
CREATE TABLE usage_windows (
  license_sid    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  meter          VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  window_start   DATETIME(6) NOT NULL,
  window_end     DATETIME(6) NOT NULL,
  aggregation    VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  event_count    BIGINT NOT NULL,
  sum_quantity   DECIMAL(38, 12) NOT NULL,
  max_quantity   DECIMAL(27, 12) NOT NULL,
  last_quantity  DECIMAL(27, 12) NOT NULL,
  last_at        DATETIME(6) NOT NULL,
  last_id        VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  stored_until   DATETIME(6) NOT NULL,
  pending_events BIGINT NOT NULL,
  due_at         DATETIME(6) NULL,
  revision       INT NOT NULL DEFAULT 0,
  updated_at     DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (license_sid, meter, window_start),
  KEY ix_usage_windows_due (due_at),
  CONSTRAINT fk_usage_windows_account FOREIGN KEY (license_sid) REFERENCES usage_accounts (license_sid),
  CONSTRAINT ck_usage_windows_span CHECK (window_end > window_start),
  CONSTRAINT ck_usage_windows_aggregation CHECK (aggregation IN ('sum', 'count', 'max', 'last', 'unique')),
  CONSTRAINT ck_usage_windows_due CHECK ((pending_events > 0) = (due_at IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Each seal of a window, and what became of it. quantity is by how much it moves the period's quantity, stored_before
-- the cut that it was taken at, counted_at the moment that whoever bills it is told.
CREATE TABLE usage_revisions (
  license_sid        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  meter              VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  window_start       DATETIME(6) NOT NULL,
  revision           INT NOT NULL,
  customer_sid       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  identifier         VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  period_start       DATETIME(6) NOT NULL,
  period_end         DATETIME(6) NOT NULL,
  quantity           DECIMAL(38, 12) NOT NULL,
  route              VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  late_policy        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
  state              VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  code               VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  stored_before      DATETIME(6) NOT NULL,
  counted_at         DATETIME(6) NOT NULL,
  stripe_customer_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  first_attempt_at   DATETIME(6) NULL,
  last_attempt_at    DATETIME(6) NULL,
  pushed_at          DATETIME(6) NULL,
  settled_at         DATETIME(6) NULL,
  sealed_at          DATETIME(6) NOT NULL,
  updated_at         DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (license_sid, meter, window_start, revision),
  UNIQUE KEY uq_usage_revisions_identifier (identifier),
  KEY ix_usage_revisions_state (state, route, sealed_at),
  KEY ix_usage_revisions_period (license_sid, meter, period_start),
  KEY ix_usage_revisions_counted (stripe_customer_id, meter, counted_at),
  CONSTRAINT fk_usage_revisions_window FOREIGN KEY (license_sid, meter, window_start)
    REFERENCES usage_windows (license_sid, meter, window_start),
  CONSTRAINT fk_usage_revisions_owner FOREIGN KEY (customer_sid, license_sid)
    REFERENCES usage_accounts (customer_sid, license_sid),
  CONSTRAINT ck_usage_revisions_state CHECK (state IN ('SEALED', 'PUSHED', 'CONFIRMED', 'REJECTED')),
  CONSTRAINT ck_usage_revisions_route CHECK (route IN ('METER', 'INVOICE', 'LEDGER')),
  CONSTRAINT ck_usage_revisions_policy CHECK (late_policy IN ('BILL_NEXT', 'ADJUST', 'DROP_AND_RECORD')),
  CONSTRAINT ck_usage_revisions_code CHECK ((state = 'REJECTED') = (code IS NOT NULL)),
  CONSTRAINT ck_usage_revisions_pushed CHECK (state <> 'PUSHED' OR pushed_at IS NOT NULL),
  CONSTRAINT ck_usage_revisions_settled CHECK ((state IN ('CONFIRMED', 'REJECTED')) = (settled_at IS NOT NULL)),
  CONSTRAINT ck_usage_revisions_attempts CHECK ((first_attempt_at IS NULL) = (last_attempt_at IS NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
