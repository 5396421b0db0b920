-- A file whose key signs elsewhere, over the network: the claims wait here until a job has had them signed.
CREATE TABLE license_drafts (
  license_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  seq         BIGINT NOT NULL,
  kid         VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payload     TEXT NOT NULL,
  expires_at  DATETIME(6) NOT NULL,
  created_at  DATETIME(6) NOT NULL,
  PRIMARY KEY (license_sid, seq),
  CONSTRAINT fk_license_drafts_license FOREIGN KEY (license_sid) REFERENCES licenses (license_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Which files still need a key, and until when.
ALTER TABLE license_files ADD KEY ix_license_files_kid (kid, expires_at);
ALTER TABLE licenses ADD KEY ix_licenses_state (state, license_sid), ADD KEY ix_licenses_expiry (expires_at);
