-- What Stripe does not tell of a license: what staff or a contract decided, and to which machine it is bound.

ALTER TABLE licenses ADD COLUMN usage_based TINYINT NOT NULL DEFAULT 0 AFTER kind;

ALTER TABLE checkout_sessions ADD COLUMN challenge TEXT NULL;

-- Reasons for a state that were given and not folded. One that was lifted stays, so that the past can be told.
CREATE TABLE license_causes (
  license_sid  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  rule         VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject      VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  effective_at DATETIME(6) NOT NULL,
  observed_at  DATETIME(6) NOT NULL,
  note         VARCHAR(500) NULL,
  lifted_at    DATETIME(6) NULL,
  updated_at   DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (license_sid, rule, subject, effective_at),
  CONSTRAINT fk_license_causes_license FOREIGN KEY (license_sid) REFERENCES licenses (license_sid),
  CONSTRAINT ck_license_causes_lifted CHECK (lifted_at IS NULL OR rule <> 'staff-revoked')
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A license was issued anew: every file of an older edition stops counting. base_period is the start of the paid period
-- that was the newest then; periods that are folded later find here which editions they need a file of.
CREATE TABLE license_editions (
  license_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  edition_no  INT NOT NULL,
  kind        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  by_staff    TINYINT NOT NULL,
  reason      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  note        VARCHAR(500) NULL,
  challenge   TEXT NULL,
  base_period DATETIME(6) NOT NULL,
  made_at     DATETIME(6) NOT NULL,
  PRIMARY KEY (license_sid, edition_no),
  CONSTRAINT fk_license_editions_license FOREIGN KEY (license_sid) REFERENCES licenses (license_sid),
  CONSTRAINT ck_license_editions_no CHECK (edition_no BETWEEN 1 AND 500000),
  CONSTRAINT ck_license_editions_kind CHECK (kind IN ('REISSUE', 'CHALLENGE') AND (kind = 'REISSUE' OR challenge IS NOT NULL)),
  CONSTRAINT ck_license_editions_by_staff CHECK (by_staff IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TRIGGER license_editions_no_update BEFORE UPDATE ON license_editions
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'license_editions is append-only';

CREATE TRIGGER license_editions_no_delete BEFORE DELETE ON license_editions
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'license_editions is append-only';
