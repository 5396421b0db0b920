-- Usage that came out of an air gap: signed exports, each the next one of its machine's chain.

-- The public key of each machine that exports usage of a license, pinned by the first export that was signed with it.
CREATE TABLE usage_export_keys (
  license_sid  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kid          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  public_jwk   TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  pinned_by    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  pinned_at    DATETIME(6) NOT NULL,
  PRIMARY KEY (license_sid, kid),
  CONSTRAINT fk_usage_export_keys_account FOREIGN KEY (license_sid) REFERENCES usage_accounts (license_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- counters is where the chain stands after the export: what each meter has counted since it began.
CREATE TABLE usage_imports (
  license_sid  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kid          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  seq          BIGINT NOT NULL,
  import_sid   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  digest       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  period_start DATETIME(6) NOT NULL,
  period_end   DATETIME(6) NOT NULL,
  counters     TEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hours        INT NOT NULL,
  imported_by  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  imported_at  DATETIME(6) NOT NULL,
  PRIMARY KEY (license_sid, kid, seq),
  UNIQUE KEY uq_usage_imports_sid (import_sid),
  UNIQUE KEY uq_usage_imports_digest (license_sid, digest),
  CONSTRAINT fk_usage_imports_key FOREIGN KEY (license_sid, kid) REFERENCES usage_export_keys (license_sid, kid),
  CONSTRAINT ck_usage_imports_span CHECK (period_end > period_start AND seq > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
