-- What runs under a contract. Its course is the log of its changes; the row says where the log has led.

-- An ACTIVE row refers to a contract that is ACTIVE, by columns that are there only in that state: the server refuses
-- one without the other, whichever of the two is written.
CREATE TABLE contract_subscriptions (
  subscription_sid    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  contract_sid        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  domain_sid          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  product_id          VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  plan_sid            VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  plan_version        INT NOT NULL,
  quantity            BIGINT NOT NULL,
  state               VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  paused_by           VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
  pause_policy        VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  time_zone           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  period_start        DATE NOT NULL,
  period_end          DATE NOT NULL,
  cancels_at_end      TINYINT NOT NULL,
  changes             INT NOT NULL,
  last_change_at      DATETIME(6) NOT NULL,
  bills               INT NOT NULL,
  last_billed_at      DATETIME(6) NULL,
  next_billing_at     DATETIME(6) NULL,
  ended_at            DATETIME(6) NULL,
  created_at          DATETIME(6) NOT NULL,
  updated_at          DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  active_contract_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
    GENERATED ALWAYS AS (CASE WHEN state = 'ACTIVE' THEN contract_sid END) STORED,
  live_domain_sid     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
    GENERATED ALWAYS AS (CASE WHEN state IN ('ACTIVE', 'PAUSED') THEN domain_sid END) STORED,
  PRIMARY KEY (subscription_sid),
  UNIQUE KEY uq_contract_subscriptions_owner (customer_sid, subscription_sid),
  UNIQUE KEY uq_contract_subscriptions_thing (live_domain_sid, product_id),
  KEY ix_contract_subscriptions_contract (contract_sid, subscription_sid),
  KEY ix_contract_subscriptions_due (next_billing_at, subscription_sid),
  CONSTRAINT fk_contract_subscriptions_contract FOREIGN KEY (customer_sid, contract_sid) REFERENCES contracts (customer_sid, contract_sid),
  CONSTRAINT fk_contract_subscriptions_active FOREIGN KEY (active_contract_sid) REFERENCES contracts (active_contract_sid),
  CONSTRAINT fk_contract_subscriptions_domain FOREIGN KEY (customer_sid, domain_sid) REFERENCES domains (customer_sid, domain_sid),
  CONSTRAINT fk_contract_subscriptions_plan FOREIGN KEY (plan_sid, plan_version) REFERENCES plan_versions (plan_sid, version),
  CONSTRAINT ck_contract_subscriptions_state CHECK (state IN ('ACTIVE', 'PAUSED', 'CANCELED', 'EXPIRED')),
  CONSTRAINT ck_contract_subscriptions_paused CHECK ((state = 'PAUSED') = (paused_by IS NOT NULL)
    AND (paused_by IS NULL OR paused_by IN ('STAFF', 'CONTRACT'))),
  CONSTRAINT ck_contract_subscriptions_ended CHECK ((state IN ('CANCELED', 'EXPIRED')) = (ended_at IS NOT NULL)),
  CONSTRAINT ck_contract_subscriptions_policy CHECK (pause_policy IN ('SHIFT', 'KEEP') AND cancels_at_end IN (0, 1)),
  CONSTRAINT ck_contract_subscriptions_period CHECK (period_end > period_start),
  CONSTRAINT ck_contract_subscriptions_numbers CHECK (quantity >= 0 AND changes >= 1 AND bills >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- terms is canonical JSON of what was agreed: plan, version, quantity and price, as they were at that moment.
CREATE TABLE contract_subscription_changes (
  subscription_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  change_no        INT NOT NULL,
  kind             VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  happened_at      DATETIME(6) NOT NULL,
  terms            TEXT NULL,
  ends_on          DATE NULL,
  by_contract      TINYINT NOT NULL,
  credits_unused   TINYINT NOT NULL,
  created_at       DATETIME(6) NOT NULL,
  PRIMARY KEY (subscription_sid, change_no),
  CONSTRAINT fk_contract_subscription_changes_subscription FOREIGN KEY (subscription_sid) REFERENCES contract_subscriptions (subscription_sid),
  CONSTRAINT ck_contract_subscription_changes_kind CHECK (kind IN ('STARTED', 'PAUSED', 'RESUMED', 'PLAN_CHANGED',
    'PLAN_CHANGE_PLANNED', 'CANCELED', 'CANCEL_PLANNED', 'PLANS_WITHDRAWN', 'END_MOVED')),
  CONSTRAINT ck_contract_subscription_changes_terms CHECK ((kind IN ('STARTED', 'PLAN_CHANGED', 'PLAN_CHANGE_PLANNED'))
    = (terms IS NOT NULL)),
  CONSTRAINT ck_contract_subscription_changes_flags CHECK (by_contract IN (0, 1) AND credits_unused IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TRIGGER contract_subscription_changes_no_update BEFORE UPDATE ON contract_subscription_changes
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'contract_subscription_changes is append-only';

CREATE TRIGGER contract_subscription_changes_no_delete BEFORE DELETE ON contract_subscription_changes
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'contract_subscription_changes is append-only';
