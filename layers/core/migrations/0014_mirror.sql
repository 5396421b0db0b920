-- The mirror in full: what Stripe says of subscriptions, invoices and the money behind them. Every row names the
-- observation that set it. Of cards there is the brand, the last four digits and the expiry, and nothing else.

ALTER TABLE subscriptions
  ADD COLUMN stripe_customer_id        VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN trial_end                 DATETIME(6) NULL,
  ADD COLUMN pause_behavior            VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN pause_resumes_at          DATETIME(6) NULL,
  ADD COLUMN default_payment_method_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN metadata                  TEXT NULL;

ALTER TABLE invoices
  ADD COLUMN amount_remaining  BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN attempted         TINYINT NOT NULL DEFAULT 0,
  ADD COLUMN billing_reason    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN collection_method VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN due_at            DATETIME(6) NULL,
  ADD COLUMN next_attempt_at   DATETIME(6) NULL,
  ADD COLUMN finalized_at      DATETIME(6) NULL,
  ADD COLUMN failed_at         DATETIME(6) NULL,
  ADD COLUMN awaits_customer   TINYINT NOT NULL DEFAULT 0,
  ADD CONSTRAINT ck_invoices_flags CHECK (attempted IN (0, 1) AND awaits_customer IN (0, 1));

CREATE TABLE invoice_lines (
  invoice_id           VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  line_id              VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  price_id             VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  subscription_item_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  description          TEXT NULL,
  quantity             BIGINT NULL,
  amount               BIGINT NOT NULL,
  currency             CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  proration            TINYINT NOT NULL,
  period_start         DATETIME(6) NOT NULL,
  period_end           DATETIME(6) NOT NULL,
  updated_at           DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (invoice_id, line_id),
  CONSTRAINT fk_invoice_lines_invoice FOREIGN KEY (invoice_id) REFERENCES invoices (invoice_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE payment_intents (
  payment_intent_id  VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  stripe_customer_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  invoice_id         VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  latest_charge_id   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  status             VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount             BIGINT NOT NULL,
  amount_received    BIGINT NOT NULL,
  currency           CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at         DATETIME(6) NOT NULL,
  observed_at        DATETIME(6) NOT NULL,
  observed_by        VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  updated_at         DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (payment_intent_id),
  KEY ix_payment_intents_owner (customer_sid, payment_intent_id),
  KEY ix_payment_intents_invoice (invoice_id),
  CONSTRAINT fk_payment_intents_customer FOREIGN KEY (customer_sid) REFERENCES customers (customer_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE charges (
  charge_id          VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  stripe_customer_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payment_intent_id  VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  invoice_id         VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  status             VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount             BIGINT NOT NULL,
  amount_captured    BIGINT NOT NULL,
  amount_refunded    BIGINT NOT NULL,
  currency           CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  failure_code       VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL,
  card_brand         VARCHAR(32) NULL,
  card_last4         CHAR(4) CHARACTER SET ascii COLLATE ascii_bin NULL,
  card_exp_month     INT NULL,
  card_exp_year      INT NULL,
  created_at         DATETIME(6) NOT NULL,
  observed_at        DATETIME(6) NOT NULL,
  observed_by        VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  updated_at         DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (charge_id),
  KEY ix_charges_owner (customer_sid, charge_id),
  KEY ix_charges_intent (payment_intent_id),
  KEY ix_charges_invoice (invoice_id),
  CONSTRAINT fk_charges_customer FOREIGN KEY (customer_sid) REFERENCES customers (customer_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Which payment an invoice waits for or was paid with.
CREATE TABLE invoice_payments (
  invoice_id        VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payment_id        VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  updated_at        DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (invoice_id, payment_id),
  KEY ix_invoice_payments_payment (payment_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE refunds (
  refund_id         VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  charge_id         VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payment_intent_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  status            VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount            BIGINT NOT NULL,
  currency          CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason            VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at        DATETIME(6) NOT NULL,
  observed_at       DATETIME(6) NOT NULL,
  observed_by       VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  updated_at        DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (refund_id),
  KEY ix_refunds_charge (charge_id),
  CONSTRAINT fk_refunds_charge FOREIGN KEY (charge_id) REFERENCES charges (charge_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE disputes (
  dispute_id        VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  charge_id         VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payment_intent_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  status            VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount            BIGINT NOT NULL,
  currency          CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason            VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at        DATETIME(6) NOT NULL,
  observed_at       DATETIME(6) NOT NULL,
  observed_by       VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  updated_at        DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (dispute_id),
  KEY ix_disputes_charge (charge_id),
  CONSTRAINT fk_disputes_charge FOREIGN KEY (charge_id) REFERENCES charges (charge_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

ALTER TABLE products ADD COLUMN observed_by VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL;
ALTER TABLE prices ADD COLUMN observed_by VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL;

ALTER TABLE checkout_sessions
  ADD COLUMN payment_status    VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN subscription_id   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN payment_intent_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN observed_at       DATETIME(6) NULL,
  ADD COLUMN observed_by       VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD KEY ix_checkout_sessions_intent (payment_intent_id);
