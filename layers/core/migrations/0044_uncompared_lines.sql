-- Lines that belong together are compared as one: ``parts`` says how many they were. What differs from what the buyer was shown
-- differs, whatever the amount: the terms that were shown are kept beside those that were billed.

ALTER TABLE price_comparisons DROP CONSTRAINT ck_price_comparisons_matched;

ALTER TABLE price_comparisons
  ADD COLUMN parts          INT NOT NULL DEFAULT 1,
  ADD COLUMN shown_price_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN shown_quantity BIGINT NULL,
  ADD COLUMN shown_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD CONSTRAINT ck_price_comparisons_parts CHECK (parts >= 1),
  ADD CONSTRAINT ck_price_comparisons_equal CHECK (matched IN (0, 1) AND (matched = 1) = (expected_minor = actual_minor
    AND COALESCE(shown_price_id, price_id) = price_id AND COALESCE(shown_quantity, quantity) = quantity
    AND COALESCE(shown_currency, currency) = currency));

-- Lines that were not compared, and why. One whose price was on its way leaves when it is compared.
CREATE TABLE price_uncompared (
  subject_id   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  line_id      VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  price_id     VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  quantity     BIGINT NULL,
  currency     CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  actual_minor BIGINT NOT NULL,
  parts        INT NOT NULL,
  reason       VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  detail       VARCHAR(500) NULL,
  found_at     DATETIME(6) NOT NULL,
  updated_at   DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (subject_id, line_id),
  KEY ix_price_uncompared_price (price_id, reason),
  KEY ix_price_uncompared_at (found_at, reason),
  CONSTRAINT fk_price_uncompared_customer FOREIGN KEY (customer_sid) REFERENCES customers (customer_sid),
  CONSTRAINT ck_price_uncompared_parts CHECK (parts >= 1),
  CONSTRAINT ck_price_uncompared_reason CHECK (reason IN ('PRICE_UNKNOWN', 'TIERS_MISSING', 'CURRENCY_NOT_OFFERED',
    'PRICE_UNSUPPORTED', 'QUANTITY_INVALID', 'QUANTITY_MISSING', 'PRORATION', 'TRIAL', 'ADDED_BY_HAND', 'NOT_USED_YET'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
