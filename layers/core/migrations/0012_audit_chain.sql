-- The seals of the audit log: a keyed chain over its entries, in the order in which they were sealed.

CREATE TABLE audit_seals (
  seal_no    BIGINT UNSIGNED NOT NULL,
  audit_id   BIGINT UNSIGNED NOT NULL,
  kid        VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  chain_hash BINARY(32) NOT NULL,
  sealed_at  DATETIME(6) NOT NULL,
  PRIMARY KEY (seal_no),
  UNIQUE KEY uq_audit_seals_entry (audit_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Where the chain ended at some moment. The same line is logged and printed, so that a copy lives elsewhere.
CREATE TABLE audit_heads (
  seal_no     BIGINT UNSIGNED NOT NULL,
  chain_hash  BINARY(32) NOT NULL,
  anchored_at DATETIME(6) NOT NULL,
  PRIMARY KEY (seal_no)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row, held by whoever is sealing: writers of entries never wait for it.
CREATE TABLE audit_sealing (
  one        TINYINT NOT NULL,
  updated_at DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (one),
  CONSTRAINT ck_audit_sealing_one CHECK (one = 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TRIGGER audit_seals_no_update BEFORE UPDATE ON audit_seals
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_seals is append-only';

CREATE TRIGGER audit_seals_no_delete BEFORE DELETE ON audit_seals
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_seals is append-only';

CREATE TRIGGER audit_heads_no_update BEFORE UPDATE ON audit_heads
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_heads is append-only';

CREATE TRIGGER audit_heads_no_delete BEFORE DELETE ON audit_heads
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_heads is append-only';

ALTER TABLE audit_log
  ADD KEY ix_audit_log_actor (actor_sid, audit_id),
  ADD KEY ix_audit_log_action (action, audit_id);
