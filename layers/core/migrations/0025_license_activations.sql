-- The seats that are taken. A machine has one seat of a license, however often it asks.
CREATE TABLE license_activations (
  activation_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  license_sid    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  fingerprint    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  label          VARCHAR(200) NULL,
  activated_at   DATETIME(6) NOT NULL,
  seen_at        DATETIME(6) NOT NULL,
  updated_at     DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (activation_sid),
  UNIQUE KEY uq_license_activations_machine (license_sid, fingerprint),
  KEY ix_license_activations_seen (license_sid, seen_at),
  CONSTRAINT fk_license_activations_license FOREIGN KEY (license_sid) REFERENCES licenses (license_sid),
  CONSTRAINT ck_license_activations_seen CHECK (seen_at >= activated_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
