-- What a user's life needs beyond signing up: another address, the registration that a mail belongs to, refreshes that
-- may be repeated, members who come by invitation and go again, and the networks that an account is used from.

ALTER TABLE users
  ADD COLUMN new_email VARCHAR(254) NULL,
  ADD COLUMN registration INT NOT NULL DEFAULT 1,
  ADD KEY ix_users_role (role, active, user_sid);

ALTER TABLE mail_tokens DROP CONSTRAINT ck_mail_tokens_purpose;

-- A token belongs to one registration: it can never bring the password of an earlier or a later one to life.
ALTER TABLE mail_tokens
  ADD COLUMN registration INT NOT NULL DEFAULT 1,
  ADD CONSTRAINT ck_mail_tokens_purpose_kind CHECK (purpose IN ('VERIFY_EMAIL', 'CHANGE_EMAIL', 'RESET_PASSWORD'));

-- The child of a spent token, readable only with the spent token itself: whoever lost the answer may ask again.
ALTER TABLE refresh_tokens ADD COLUMN sealed_child VARBINARY(255) NULL;

-- Members leave without being forgotten: their sessions and what they did refer to the membership.
ALTER TABLE customer_members ADD COLUMN removed_at DATETIME(6) NULL;

CREATE TABLE invitations (
  invitation_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  email          VARCHAR(254) NOT NULL,
  member_role    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  invited_by     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  token_hash     BINARY(32) NULL,
  state          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at     DATETIME(6) NOT NULL,
  expires_at     DATETIME(6) NOT NULL,
  accepted_by    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  updated_at     DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  open_email     VARCHAR(254) GENERATED ALWAYS AS (CASE WHEN state = 'OPEN' THEN email END) STORED,
  PRIMARY KEY (invitation_sid),
  UNIQUE KEY uq_invitations_token (token_hash),
  UNIQUE KEY uq_invitations_open (customer_sid, open_email),
  KEY ix_invitations_customer (customer_sid, invitation_sid),
  CONSTRAINT fk_invitations_customer FOREIGN KEY (customer_sid) REFERENCES customers (customer_sid),
  CONSTRAINT fk_invitations_inviter FOREIGN KEY (invited_by) REFERENCES users (user_sid),
  CONSTRAINT fk_invitations_accepter FOREIGN KEY (accepted_by) REFERENCES users (user_sid),
  CONSTRAINT ck_invitations_role CHECK (member_role IN ('OWNER', 'MEMBER')),
  CONSTRAINT ck_invitations_state CHECK (state IN ('OPEN', 'ACCEPTED', 'WITHDRAWN')
    AND (state = 'ACCEPTED') = (accepted_by IS NOT NULL)),
  CONSTRAINT ck_invitations_times CHECK (expires_at > created_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Where an account has been used by its owner: a login from there does not wait behind those who guess from elsewhere.
CREATE TABLE known_networks (
  user_sid     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  network      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  last_used_at DATETIME(6) NOT NULL,
  updated_at   DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (user_sid, network),
  CONSTRAINT fk_known_networks_user FOREIGN KEY (user_sid) REFERENCES users (user_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
