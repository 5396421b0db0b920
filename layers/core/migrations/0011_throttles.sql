-- How often something may be tried. A row says until when the bucket is in debt; an absent row is a full bucket.

CREATE TABLE throttles (
  bucket     BINARY(32) NOT NULL,
  paid_until DATETIME(6) NOT NULL,
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (bucket),
  KEY ix_throttles_paid (paid_until)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
