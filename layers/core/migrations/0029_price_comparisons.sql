-- Each line that Stripe billed beside what we say that it costs. A line is compared once; a difference stays for staff to see.

CREATE TABLE price_comparisons (
  subject_id        VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  line_id           VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  price_id          VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  quantity          BIGINT NOT NULL,
  currency          CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  source            VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  expected_minor    BIGINT NOT NULL,
  actual_minor      BIGINT NOT NULL,
  matched           TINYINT NOT NULL,
  price_fingerprint CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  engine_version    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  compared_at       DATETIME(6) NOT NULL,
  updated_at        DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (subject_id, line_id),
  KEY ix_price_comparisons_drift (matched, compared_at),
  KEY ix_price_comparisons_at (compared_at),
  CONSTRAINT fk_price_comparisons_customer FOREIGN KEY (customer_sid) REFERENCES customers (customer_sid),
  CONSTRAINT ck_price_comparisons_source CHECK (source IN ('PREVIEW', 'ENGINE')),
  CONSTRAINT ck_price_comparisons_matched CHECK (matched IN (0, 1) AND (matched = 1) = (expected_minor = actual_minor))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
