-- What a POST with an Idempotency-Key was answered. The key is a hash over the caller, the route and the key given.

CREATE TABLE idempotency_records (
  record_key     BINARY(32) NOT NULL,
  state          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payload_hash   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  answer         MEDIUMTEXT NULL,
  claimed_until  BIGINT NULL,
  expires_at     BIGINT NOT NULL,
  updated_at     DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (record_key),
  KEY ix_idempotency_records_expiry (expires_at),
  CONSTRAINT ck_idempotency_records_state CHECK (state IN ('INPROGRESS', 'COMPLETED')
    AND (state = 'COMPLETED') = (answer IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
