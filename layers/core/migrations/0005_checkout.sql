-- A checkout is an intention first (CREATING), so that a crash between our row and Stripe's session can be healed.

CREATE TABLE checkout_sessions (
  checkout_session_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  domain_sid           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  price_id             VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  quantity             BIGINT NOT NULL,
  mode                 VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount_minor         BIGINT NOT NULL,
  currency             CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state                VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  stripe_session_id    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  url                  TEXT NULL,
  expires_at           DATETIME(6) NULL,
  created_at           DATETIME(6) NOT NULL,
  updated_at           DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (checkout_session_sid),
  UNIQUE KEY uq_checkout_sessions_stripe (stripe_session_id),
  KEY ix_checkout_sessions_owner (customer_sid, checkout_session_sid),
  CONSTRAINT fk_checkout_sessions_domain FOREIGN KEY (customer_sid, domain_sid) REFERENCES domains (customer_sid, domain_sid),
  CONSTRAINT ck_checkout_sessions_state CHECK (state IN ('CREATING', 'OPEN', 'COMPLETE', 'EXPIRED')
    AND (state = 'CREATING') = (stripe_session_id IS NULL)),
  CONSTRAINT ck_checkout_sessions_mode CHECK (mode IN ('subscription', 'payment')),
  CONSTRAINT ck_checkout_sessions_amount CHECK (amount_minor >= 0 AND quantity >= 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
