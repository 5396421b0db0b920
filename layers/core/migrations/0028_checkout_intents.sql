-- A call to Stripe whose outcome is unknown is repeated with the same key and the same parameters, so both are kept. One
-- checkout at a time may be open for a domain and a price: the unique key says so, not a look-up.

ALTER TABLE checkout_sessions DROP CONSTRAINT ck_checkout_sessions_state;

ALTER TABLE checkout_sessions
  ADD COLUMN product_id      VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN idempotency_key VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN attempt_no      INT NOT NULL DEFAULT 1,
  ADD COLUMN attempted_at    DATETIME(6) NULL,
  ADD COLUMN params          TEXT NULL,
  ADD COLUMN params_hash     CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN failure         VARCHAR(500) NULL,
  ADD COLUMN open_key        VARCHAR(330) CHARACTER SET ascii COLLATE ascii_bin
    GENERATED ALWAYS AS (CASE WHEN state IN ('CREATING', 'OPEN') AND idempotency_key IS NOT NULL
      THEN CONCAT(domain_sid, ':', price_id) END) STORED,
  ADD UNIQUE KEY uq_checkout_sessions_open (open_key),
  ADD UNIQUE KEY uq_checkout_sessions_key (idempotency_key),
  ADD KEY ix_checkout_sessions_product (domain_sid, product_id),
  ADD KEY ix_checkout_sessions_unsettled (state, created_at),
  ADD CONSTRAINT ck_checkout_sessions_states CHECK (state IN ('CREATING', 'OPEN', 'COMPLETE', 'EXPIRED')
    AND (state <> 'CREATING' OR stripe_session_id IS NULL)
    AND (state NOT IN ('OPEN', 'COMPLETE') OR stripe_session_id IS NOT NULL));

-- What the buyer was shown when the checkout was opened: the invoice is compared with it.
CREATE TABLE price_previews (
  checkout_session_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  price_id             VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  quantity             BIGINT NOT NULL,
  currency             CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount_minor         BIGINT NOT NULL,
  price_fingerprint    CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  engine_version       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  lines_text           TEXT NOT NULL,
  created_at           DATETIME(6) NOT NULL,
  updated_at           DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (checkout_session_sid),
  CONSTRAINT fk_price_previews_checkout FOREIGN KEY (checkout_session_sid) REFERENCES checkout_sessions (checkout_session_sid),
  CONSTRAINT ck_price_previews_amount CHECK (amount_minor >= 0 AND quantity >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
