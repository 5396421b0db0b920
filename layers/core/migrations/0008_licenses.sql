-- One license per paid thing. The unique key, not a look-up, is what makes it exactly one.

CREATE TABLE licenses (
  license_sid  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  domain_sid   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  source_kind  VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  source_id    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  product_id   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind         VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  current_seq  BIGINT NOT NULL,
  expires_at   DATETIME(6) NOT NULL,
  created_at   DATETIME(6) NOT NULL,
  updated_at   DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (license_sid),
  UNIQUE KEY uq_licenses_source (source_id, domain_sid),
  KEY ix_licenses_owner (customer_sid, license_sid),
  CONSTRAINT fk_licenses_domain FOREIGN KEY (customer_sid, domain_sid) REFERENCES domains (customer_sid, domain_sid),
  CONSTRAINT ck_licenses_source CHECK (source_kind IN ('SUBSCRIPTION_ITEM', 'CHECKOUT_SESSION', 'CONTRACT_SUBSCRIPTION')),
  CONSTRAINT ck_licenses_kind CHECK (kind IN ('UNLIMITED', 'USAGE', 'AIR_GAPPED')),
  CONSTRAINT ck_licenses_state CHECK (state IN ('ACTIVE', 'RESTRICTED', 'SUSPENDED', 'CANCELED', 'EXPIRED', 'REVOKED'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Each token that was ever signed. seq rises with the time of its cause, so the same cause always gives the same row.
CREATE TABLE license_files (
  license_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  seq         BIGINT NOT NULL,
  kid         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  token       TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  expires_at  DATETIME(6) NOT NULL,
  issued_at   DATETIME(6) NOT NULL,
  PRIMARY KEY (license_sid, seq),
  CONSTRAINT fk_license_files_license FOREIGN KEY (license_sid) REFERENCES licenses (license_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TRIGGER license_files_no_update BEFORE UPDATE ON license_files
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'license_files is append-only';

CREATE TRIGGER license_files_no_delete BEFORE DELETE ON license_files
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'license_files is append-only';
