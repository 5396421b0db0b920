-- Anybody may claim a name; only one customer may have proven it. So the unique key sees proven names only.

CREATE TABLE domains (
  domain_sid         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  domain_name        VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state              VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  verification_token VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  verified_at        DATETIME(6) NULL,
  created_at         DATETIME(6) NOT NULL,
  updated_at         DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  verified_name      VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin
    GENERATED ALWAYS AS (CASE WHEN state = 'VERIFIED' THEN domain_name END) STORED,
  PRIMARY KEY (domain_sid),
  UNIQUE KEY uq_domains_owner (customer_sid, domain_sid),
  UNIQUE KEY uq_domains_name (customer_sid, domain_name),
  UNIQUE KEY uq_domains_verified (verified_name),
  CONSTRAINT fk_domains_customer FOREIGN KEY (customer_sid) REFERENCES customers (customer_sid),
  CONSTRAINT ck_domains_state CHECK (state IN ('PENDING', 'VERIFIED')),
  CONSTRAINT ck_domains_verified CHECK ((state = 'VERIFIED') = (verified_at IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
