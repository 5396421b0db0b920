-- Usage that is billed by an invoice of its own: true-ups of what was paid once, adjustments of periods that are over.

-- What one invoice says, decided before Stripe is called, so that a second call says the same.
CREATE TABLE usage_bills (
  bill_sid     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  license_sid  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency     CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  invoice_id   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at   DATETIME(6) NOT NULL,
  billed_at    DATETIME(6) NULL,
  updated_at   DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (bill_sid),
  UNIQUE KEY uq_usage_bills_invoice (invoice_id),
  CONSTRAINT fk_usage_bills_owner FOREIGN KEY (customer_sid, license_sid)
    REFERENCES usage_accounts (customer_sid, license_sid),
  CONSTRAINT ck_usage_bills_billed CHECK ((invoice_id IS NULL) = (billed_at IS NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE usage_bill_lines (
  bill_sid     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position     INT NOT NULL,
  meter        VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  quantity     DECIMAL(38, 12) NOT NULL,
  amount       BIGINT NOT NULL,
  description  VARCHAR(255) NOT NULL,
  period_start DATETIME(6) NOT NULL,
  period_end   DATETIME(6) NOT NULL,
  PRIMARY KEY (bill_sid, position),
  CONSTRAINT fk_usage_bill_lines_bill FOREIGN KEY (bill_sid) REFERENCES usage_bills (bill_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

ALTER TABLE usage_revisions
  ADD COLUMN bill_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD KEY ix_usage_revisions_bill (bill_sid),
  ADD CONSTRAINT fk_usage_revisions_bill FOREIGN KEY (bill_sid) REFERENCES usage_bills (bill_sid);
