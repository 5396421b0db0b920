-- Customers own everything that is bought; users are people who act for them. Their lives are independent.

CREATE TABLE customers (
  customer_sid       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind               VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name               VARCHAR(200) NOT NULL,
  billing_email      VARCHAR(254) NOT NULL,
  stripe_customer_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at         DATETIME(6) NOT NULL,
  updated_at         DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (customer_sid),
  UNIQUE KEY uq_customers_stripe (stripe_customer_id),
  CONSTRAINT ck_customers_kind CHECK (kind IN ('PERSON', 'COMPANY'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE users (
  user_sid          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  email             VARCHAR(254) NOT NULL,
  email_verified_at DATETIME(6) NULL,
  name              VARCHAR(200) NOT NULL,
  password_hash     VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  role              VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  active            TINYINT NOT NULL DEFAULT 1,
  created_at        DATETIME(6) NOT NULL,
  updated_at        DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (user_sid),
  UNIQUE KEY uq_users_email (email),
  CONSTRAINT ck_users_role CHECK (role IN ('USER', 'ADMIN', 'MANAGER')),
  CONSTRAINT ck_users_active CHECK (active IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE customer_members (
  customer_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_sid     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  member_role  VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at   DATETIME(6) NOT NULL,
  updated_at   DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (customer_sid, user_sid),
  KEY ix_customer_members_user (user_sid),
  CONSTRAINT fk_customer_members_customer FOREIGN KEY (customer_sid) REFERENCES customers (customer_sid),
  CONSTRAINT fk_customer_members_user FOREIGN KEY (user_sid) REFERENCES users (user_sid),
  CONSTRAINT ck_customer_members_role CHECK (member_role IN ('OWNER', 'MEMBER'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Tokens that travel by mail. Only the SHA-256 is kept; a token is bound to the address it was sent to.
CREATE TABLE mail_tokens (
  token_hash BINARY(32) NOT NULL,
  user_sid   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  purpose    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  email      VARCHAR(254) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  used_at    DATETIME(6) NULL,
  PRIMARY KEY (token_hash),
  KEY ix_mail_tokens_user (user_sid, purpose),
  CONSTRAINT fk_mail_tokens_user FOREIGN KEY (user_sid) REFERENCES users (user_sid),
  CONSTRAINT ck_mail_tokens_purpose CHECK (purpose IN ('VERIFY_EMAIL', 'RESET_PASSWORD')),
  CONSTRAINT ck_mail_tokens_times CHECK (expires_at > created_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row per session; the refresh token rotates inside it, so at most one is good at any time.
CREATE TABLE sessions (
  session_sid   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_sid      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  user_agent    VARCHAR(400) NOT NULL,
  address       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at    DATETIME(6) NOT NULL,
  last_used_at  DATETIME(6) NOT NULL,
  expires_at    DATETIME(6) NOT NULL,
  revoked_at    DATETIME(6) NULL,
  revoke_reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  updated_at    DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (session_sid),
  KEY ix_sessions_user (user_sid),
  CONSTRAINT fk_sessions_member FOREIGN KEY (customer_sid, user_sid) REFERENCES customer_members (customer_sid, user_sid),
  CONSTRAINT ck_sessions_revoked CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE refresh_tokens (
  token_hash  BINARY(32) NOT NULL,
  session_sid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  generation  INT NOT NULL,
  created_at  DATETIME(6) NOT NULL,
  used_at     DATETIME(6) NULL,
  PRIMARY KEY (token_hash),
  UNIQUE KEY uq_refresh_tokens_generation (session_sid, generation),
  CONSTRAINT fk_refresh_tokens_session FOREIGN KEY (session_sid) REFERENCES sessions (session_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
