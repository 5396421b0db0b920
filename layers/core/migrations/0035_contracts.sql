-- Agreements with customers, and whom the vendor concludes them as. Their lives do not depend on those of users.

CREATE TABLE legal_entities (
  legal_entity_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name             VARCHAR(200) NOT NULL,
  address          TEXT NOT NULL,
  tax_id           VARCHAR(64) NULL,
  bank_details     TEXT NOT NULL,
  number_prefix    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at       DATETIME(6) NOT NULL,
  updated_at       DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (legal_entity_sid),
  UNIQUE KEY uq_legal_entities_prefix (number_prefix)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One counter per entity and kind of document, locked by whoever issues one, so that no number is left out.
CREATE TABLE document_numbers (
  legal_entity_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  document_kind    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  last_number      BIGINT NOT NULL,
  updated_at       DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (legal_entity_sid, document_kind),
  CONSTRAINT fk_document_numbers_entity FOREIGN KEY (legal_entity_sid) REFERENCES legal_entities (legal_entity_sid),
  CONSTRAINT ck_document_numbers_kind CHECK (document_kind IN ('INVOICE', 'CREDIT_NOTE')),
  CONSTRAINT ck_document_numbers_number CHECK (last_number >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- active_contract_sid is what active subscriptions refer to: it is there only while the contract is ACTIVE.
CREATE TABLE contracts (
  contract_sid        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  legal_entity_sid    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name                VARCHAR(200) NOT NULL,
  state               VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  terms               TEXT NOT NULL,
  currency            CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  starts_on           DATE NOT NULL,
  ends_on             DATE NULL,
  ends_at             DATETIME(6) NULL,
  time_zone           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payment_terms_days  INT NOT NULL,
  collection          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  dunning_policy      VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  pause_policy        VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  review_invoices     TINYINT NOT NULL,
  activated_at        DATETIME(6) NULL,
  suspended_at        DATETIME(6) NULL,
  ended_at            DATETIME(6) NULL,
  created_at          DATETIME(6) NOT NULL,
  updated_at          DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  active_contract_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
    GENERATED ALWAYS AS (CASE WHEN state = 'ACTIVE' THEN contract_sid END) STORED,
  PRIMARY KEY (contract_sid),
  UNIQUE KEY uq_contracts_owner (customer_sid, contract_sid),
  UNIQUE KEY uq_contracts_active (active_contract_sid),
  KEY ix_contracts_end (state, ends_at),
  CONSTRAINT fk_contracts_customer FOREIGN KEY (customer_sid) REFERENCES customers (customer_sid),
  CONSTRAINT fk_contracts_entity FOREIGN KEY (legal_entity_sid) REFERENCES legal_entities (legal_entity_sid),
  CONSTRAINT ck_contracts_state CHECK (state IN ('DRAFT', 'ACTIVE', 'SUSPENDED', 'TERMINATED', 'EXPIRED')),
  CONSTRAINT ck_contracts_activated CHECK (state = 'TERMINATED' OR (state = 'DRAFT') = (activated_at IS NULL)),
  CONSTRAINT ck_contracts_suspended CHECK ((state = 'SUSPENDED') = (suspended_at IS NOT NULL)),
  CONSTRAINT ck_contracts_ended CHECK ((state IN ('TERMINATED', 'EXPIRED')) = (ended_at IS NOT NULL)),
  CONSTRAINT ck_contracts_term CHECK ((ends_on IS NULL) = (ends_at IS NULL) AND (ends_on IS NULL OR ends_on > starts_on)),
  CONSTRAINT ck_contracts_expired CHECK (state <> 'EXPIRED' OR ends_on IS NOT NULL),
  CONSTRAINT ck_contracts_collection CHECK (collection IN ('BANK_TRANSFER', 'STRIPE_INVOICE')),
  CONSTRAINT ck_contracts_pause CHECK (pause_policy IN ('SHIFT', 'KEEP')),
  CONSTRAINT ck_contracts_terms CHECK (payment_terms_days BETWEEN 0 AND 365 AND review_invoices IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What was signed is kept elsewhere; here is where, and what its content hashes to.
CREATE TABLE contract_documents (
  contract_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  document_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  title        VARCHAR(200) NOT NULL,
  uri          VARCHAR(1000) NOT NULL,
  sha256       CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at   DATETIME(6) NOT NULL,
  PRIMARY KEY (contract_sid, document_sid),
  CONSTRAINT fk_contract_documents_contract FOREIGN KEY (contract_sid) REFERENCES contracts (contract_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The prices agreed on instead of a plan's own. They count for what is subscribed to or changed afterwards.
CREATE TABLE contract_price_overrides (
  contract_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  plan_sid     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  pricing      TEXT NOT NULL,
  updated_at   DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (contract_sid, plan_sid),
  CONSTRAINT fk_contract_price_overrides_contract FOREIGN KEY (contract_sid) REFERENCES contracts (contract_sid),
  CONSTRAINT fk_contract_price_overrides_plan FOREIGN KEY (plan_sid) REFERENCES plans (plan_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
