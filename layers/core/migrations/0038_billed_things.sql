-- A product on a domain has one biller: Stripe or a contract, never both. The row is taken, and locked, by whoever is
-- about to begin billing; it may change hands only when the other has ended.

CREATE TABLE billed_things (
  domain_sid   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  product_id   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  biller       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  held_by      VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  updated_at   DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (domain_sid, product_id),
  CONSTRAINT fk_billed_things_domain FOREIGN KEY (customer_sid, domain_sid) REFERENCES domains (customer_sid, domain_sid),
  CONSTRAINT ck_billed_things_biller CHECK (biller IN ('STRIPE', 'CONTRACT'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
