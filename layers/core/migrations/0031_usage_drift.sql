-- Where the sums of whoever bills usage differ from ours, and the reports of what they would not count.

-- One row per hour of a customer's meter in which the sums differ. Open until a later look finds them equal.
CREATE TABLE usage_drift (
  drift_id           BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  stripe_customer_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  meter              VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hour_start         DATETIME(6) NOT NULL,
  ours               DECIMAL(38, 12) NOT NULL,
  theirs             DECIMAL(38, 12) NOT NULL,
  found_at           DATETIME(6) NOT NULL,
  healed_at          DATETIME(6) NULL,
  updated_at         DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  open_key           VARCHAR(400) CHARACTER SET ascii COLLATE ascii_bin
    GENERATED ALWAYS AS (CASE WHEN healed_at IS NULL THEN CONCAT(stripe_customer_id, ':', meter, ':', hour_start) END) STORED,
  PRIMARY KEY (drift_id),
  UNIQUE KEY uq_usage_drift_open (open_key),
  CONSTRAINT ck_usage_drift_differs CHECK (ours <> theirs),
  CONSTRAINT ck_usage_drift_healed CHECK (healed_at IS NULL OR healed_at >= found_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Stripe's reports of meter events that it took and then would not count, one row per report and code. They name samples
-- only: unnamed is how many more there are.
CREATE TABLE usage_error_reports (
  report_id   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  code        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  error_count INT NOT NULL,
  unnamed     INT NOT NULL,
  reported_at DATETIME(6) NOT NULL,
  created_at  DATETIME(6) NOT NULL,
  updated_at  DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (report_id, code),
  KEY ix_usage_error_reports_time (reported_at),
  CONSTRAINT ck_usage_error_reports_count CHECK (error_count >= unnamed AND unnamed >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
