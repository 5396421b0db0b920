-- Every list that was ever signed. content_epoch is the first epoch that said the same: a list that only says it again
-- outdates nothing.
CREATE TABLE revocation_lists (
  epoch         BIGINT NOT NULL,
  content_epoch BIGINT NOT NULL,
  kid           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  token         MEDIUMTEXT CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  digest        CHAR(43) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  content_hash  CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  issued_at     DATETIME(6) NOT NULL,
  next_update   DATETIME(6) NOT NULL,
  PRIMARY KEY (epoch),
  KEY ix_revocation_lists_issued (issued_at, epoch),
  CONSTRAINT ck_revocation_lists_epoch CHECK (epoch >= 1 AND content_epoch BETWEEN 1 AND epoch),
  CONSTRAINT ck_revocation_lists_next CHECK (next_update > issued_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TRIGGER revocation_lists_no_update BEFORE UPDATE ON revocation_lists
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'revocation_lists is append-only';

CREATE TRIGGER revocation_lists_no_delete BEFORE DELETE ON revocation_lists
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'revocation_lists is append-only';
