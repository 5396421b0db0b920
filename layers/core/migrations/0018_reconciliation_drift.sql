-- One row per field in which we differed from Stripe, or from what was paid. It is open until a later look finds it gone;
-- while it is open the same difference has one row only.

CREATE TABLE reconciliation_drift (
  drift_id    BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  run_sid     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind        VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  object_type VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  object_id   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  field_name  VARCHAR(300) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  ours        TEXT NULL,
  theirs      TEXT NULL,
  cause       VARCHAR(500) NOT NULL,
  found_at    DATETIME(6) NOT NULL,
  healed_at   DATETIME(6) NULL,
  updated_at  DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  open_key    VARCHAR(600) CHARACTER SET ascii COLLATE ascii_bin
    GENERATED ALWAYS AS (CASE WHEN healed_at IS NULL THEN CONCAT(kind, ':', object_id, ':', field_name) END) STORED,
  PRIMARY KEY (drift_id),
  UNIQUE KEY uq_reconciliation_drift_open (open_key),
  KEY ix_reconciliation_drift_object (kind, object_id),
  KEY ix_reconciliation_drift_run (run_sid),
  CONSTRAINT fk_reconciliation_drift_run FOREIGN KEY (run_sid) REFERENCES reconciliation_runs (run_sid),
  CONSTRAINT ck_reconciliation_drift_kind CHECK (kind IN ('event-gap', 'object-sweep', 'license-sweep'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
