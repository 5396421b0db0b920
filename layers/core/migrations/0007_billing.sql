-- Stripe's subscriptions and invoices, mirrored one to one. observed_at and observed_by name the observation that set a row.

CREATE TABLE subscriptions (
  subscription_id      VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  domain_sid           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status               VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  cancel_at_period_end TINYINT NOT NULL,
  canceled_at          DATETIME(6) NULL,
  ended_at             DATETIME(6) NULL,
  latest_invoice_id    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at           DATETIME(6) NOT NULL,
  observed_at          DATETIME(6) NOT NULL,
  observed_by          VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  updated_at           DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (subscription_id),
  KEY ix_subscriptions_owner (customer_sid, subscription_id),
  CONSTRAINT fk_subscriptions_domain FOREIGN KEY (customer_sid, domain_sid) REFERENCES domains (customer_sid, domain_sid),
  CONSTRAINT ck_subscriptions_status CHECK (status IN ('incomplete', 'incomplete_expired', 'trialing', 'active',
    'past_due', 'canceled', 'unpaid', 'paused'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE subscription_items (
  item_id              VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subscription_id      VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  price_id             VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  quantity             BIGINT NULL,
  current_period_start DATETIME(6) NOT NULL,
  current_period_end   DATETIME(6) NOT NULL,
  updated_at           DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (item_id),
  KEY ix_subscription_items_subscription (subscription_id),
  CONSTRAINT fk_subscription_items_subscription FOREIGN KEY (subscription_id) REFERENCES subscriptions (subscription_id),
  CONSTRAINT ck_subscription_items_period CHECK (current_period_end > current_period_start)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE invoices (
  invoice_id      VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subscription_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  invoice_number  VARCHAR(100) NULL,
  status          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency        CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount_due      BIGINT NOT NULL,
  amount_paid     BIGINT NOT NULL,
  total           BIGINT NOT NULL,
  attempt_count   INT NOT NULL,
  created_at      DATETIME(6) NOT NULL,
  paid_at         DATETIME(6) NULL,
  observed_at     DATETIME(6) NOT NULL,
  observed_by     VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  updated_at      DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (invoice_id),
  KEY ix_invoices_owner (customer_sid, invoice_id),
  KEY ix_invoices_subscription (subscription_id),
  CONSTRAINT fk_invoices_customer FOREIGN KEY (customer_sid) REFERENCES customers (customer_sid),
  CONSTRAINT ck_invoices_status CHECK (status IN ('draft', 'open', 'paid', 'void', 'uncollectible'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
