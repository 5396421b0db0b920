-- What contracts bill. The unique billing_key is what makes it one document per fact, however often the run fires.

-- Amounts are minor units. credited_minor is what credit notes took off an invoice, settled_minor what a credit note
-- took off its invoice; the rest of a credit note is paid back.
CREATE TABLE contract_invoices (
  invoice_sid        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  document_kind      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  contract_sid       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subscription_sid   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  corrects_sid       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  legal_entity_sid   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  billing_key        VARCHAR(191) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state              VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency           CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  total_minor        BIGINT NOT NULL,
  credited_minor     BIGINT NOT NULL DEFAULT 0,
  period_start       DATE NOT NULL,
  period_end         DATE NOT NULL,
  billed_at          DATETIME(6) NOT NULL,
  collection         VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payment_terms_days INT NOT NULL,
  reason             VARCHAR(500) NULL,
  seller             TEXT NULL,
  buyer              TEXT NULL,
  document_no        BIGINT NULL,
  document_number    VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL,
  issued_at          DATETIME(6) NULL,
  due_at             DATETIME(6) NULL,
  paid_at            DATETIME(6) NULL,
  payment_reference  VARCHAR(200) NULL,
  closed_at          DATETIME(6) NULL,
  stripe_invoice_id  VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  stripe_invoice_url TEXT NULL,
  created_at         DATETIME(6) NOT NULL,
  updated_at         DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (invoice_sid),
  UNIQUE KEY uq_contract_invoices_billing_key (billing_key),
  UNIQUE KEY uq_contract_invoices_number (legal_entity_sid, document_kind, document_no),
  UNIQUE KEY uq_contract_invoices_stripe (stripe_invoice_id),
  KEY ix_contract_invoices_owner (customer_sid, invoice_sid),
  KEY ix_contract_invoices_contract (contract_sid, invoice_sid),
  KEY ix_contract_invoices_subscription (subscription_sid, state),
  KEY ix_contract_invoices_corrected (corrects_sid),
  KEY ix_contract_invoices_state (state, billed_at),
  CONSTRAINT fk_contract_invoices_contract FOREIGN KEY (customer_sid, contract_sid) REFERENCES contracts (customer_sid, contract_sid),
  CONSTRAINT fk_contract_invoices_subscription FOREIGN KEY (customer_sid, subscription_sid) REFERENCES contract_subscriptions (customer_sid, subscription_sid),
  CONSTRAINT fk_contract_invoices_entity FOREIGN KEY (legal_entity_sid) REFERENCES legal_entities (legal_entity_sid),
  CONSTRAINT fk_contract_invoices_corrected FOREIGN KEY (corrects_sid) REFERENCES contract_invoices (invoice_sid),
  CONSTRAINT ck_contract_invoices_kind CHECK (document_kind IN ('INVOICE', 'CREDIT_NOTE')
    AND (document_kind = 'CREDIT_NOTE') = (corrects_sid IS NOT NULL)),
  CONSTRAINT ck_contract_invoices_state CHECK (state IN ('DRAFT', 'OPEN', 'PAID', 'VOID', 'UNCOLLECTIBLE')),
  CONSTRAINT ck_contract_invoices_issued CHECK ((state = 'DRAFT') = (document_no IS NULL)
    AND (document_no IS NULL) = (issued_at IS NULL) AND (document_no IS NULL) = (document_number IS NULL)
    AND (document_no IS NULL) = (seller IS NULL) AND (document_no IS NULL) = (buyer IS NULL)),
  CONSTRAINT ck_contract_invoices_paid CHECK ((state = 'PAID') = (paid_at IS NOT NULL)),
  CONSTRAINT ck_contract_invoices_closed CHECK ((state IN ('VOID', 'UNCOLLECTIBLE')) = (closed_at IS NOT NULL)),
  CONSTRAINT ck_contract_invoices_due CHECK ((document_kind = 'INVOICE' AND state <> 'DRAFT') = (due_at IS NOT NULL)),
  CONSTRAINT ck_contract_invoices_amounts CHECK (total_minor >= 0 AND credited_minor BETWEEN 0 AND total_minor),
  CONSTRAINT ck_contract_invoices_period CHECK (period_end >= period_start)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE contract_invoice_lines (
  invoice_sid  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  line_no      INT NOT NULL,
  biller       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  description  VARCHAR(500) NOT NULL,
  plan_sid     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  plan_version INT NULL,
  quantity     DECIMAL(30, 12) NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency     CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  period_start DATE NOT NULL,
  period_end   DATE NOT NULL,
  proration    TINYINT NOT NULL,
  PRIMARY KEY (invoice_sid, line_no),
  CONSTRAINT fk_contract_invoice_lines_invoice FOREIGN KEY (invoice_sid) REFERENCES contract_invoices (invoice_sid),
  CONSTRAINT ck_contract_invoice_lines_biller CHECK (biller = 'CONTRACT'),
  CONSTRAINT ck_contract_invoice_lines_period CHECK (period_end >= period_start AND proration IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TRIGGER contract_invoice_lines_no_update BEFORE UPDATE ON contract_invoice_lines
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'contract_invoice_lines is append-only';

CREATE TRIGGER contract_invoice_lines_no_delete BEFORE DELETE ON contract_invoice_lines
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'contract_invoice_lines is append-only';
