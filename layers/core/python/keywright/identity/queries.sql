-- name: add_user
INSERT INTO users (user_sid, email, email_verified_at, name, password_hash, role, created_at)
VALUES (%(user_sid)s, %(email)s, %(email_verified_at)s, %(name)s, %(password_hash)s, %(role)s, %(now)s)

-- name: find_user
SELECT user_sid, email, email_verified_at, name, password_hash, role, active
  FROM users
 WHERE user_sid = %(user_sid)s

-- name: find_user_by_email
SELECT user_sid, email, email_verified_at, name, password_hash, role, active
  FROM users
 WHERE email = %(email)s

-- name: lock_user
SELECT user_sid, email, email_verified_at, name, password_hash, role, active
  FROM users
 WHERE user_sid = %(user_sid)s
   FOR UPDATE

-- name: replace_registration
-- Only as long as nobody has proven the address: until then whoever registers last is as good as the first.
UPDATE users
   SET name = %(name)s, password_hash = %(password_hash)s
 WHERE user_sid = %(user_sid)s AND email_verified_at IS NULL

-- name: set_password_hash
UPDATE users SET password_hash = %(password_hash)s WHERE user_sid = %(user_sid)s

-- name: set_email_verified
-- The token proves the address that it was sent to, which need no longer be the user's.
UPDATE users
   SET email_verified_at = COALESCE(email_verified_at, %(now)s)
 WHERE user_sid = %(user_sid)s AND email = %(email)s AND active = 1

-- name: add_mail_token
INSERT INTO mail_tokens (token_hash, user_sid, purpose, email, created_at, expires_at)
VALUES (%(token_hash)s, %(user_sid)s, %(purpose)s, %(email)s, %(now)s, %(expires_at)s)

-- name: drop_unused_mail_tokens
-- A newer mail takes the place of the older ones. Used tokens stay as a record.
DELETE FROM mail_tokens WHERE user_sid = %(user_sid)s AND purpose = %(purpose)s AND used_at IS NULL

-- name: spend_mail_token
-- One statement, so that of two who present the same token only one finds it unused.
UPDATE mail_tokens
   SET used_at = %(now)s
 WHERE token_hash = %(token_hash)s AND purpose = %(purpose)s AND used_at IS NULL AND expires_at > %(now)s

-- name: find_mail_token
SELECT user_sid, email FROM mail_tokens WHERE token_hash = %(token_hash)s

-- name: add_session
INSERT INTO sessions (session_sid, user_sid, customer_sid, user_agent, address, created_at, last_used_at, expires_at)
VALUES (%(session_sid)s, %(user_sid)s, %(customer_sid)s, %(user_agent)s, %(address)s, %(now)s, %(now)s, %(expires_at)s)

-- name: find_session
SELECT session_sid, user_sid, customer_sid, last_used_at, expires_at, revoked_at
  FROM sessions
 WHERE session_sid = %(session_sid)s

-- name: touch_session
UPDATE sessions SET last_used_at = %(now)s WHERE session_sid = %(session_sid)s

-- name: revoke_session
UPDATE sessions
   SET revoked_at = %(now)s, revoke_reason = %(reason)s
 WHERE session_sid = %(session_sid)s AND revoked_at IS NULL

-- name: add_refresh_token
INSERT INTO refresh_tokens (token_hash, session_sid, generation, created_at)
VALUES (%(token_hash)s, %(session_sid)s, %(generation)s, %(now)s)

-- name: lock_refresh_token
-- Held until commit: without the lock everybody who presents a token at once would find it unused and get a child.
-- The session is locked with it, so that it cannot be revoked while it lives on.
SELECT t.token_hash, t.generation, t.used_at,
       s.session_sid, s.user_sid, s.customer_sid, s.last_used_at, s.expires_at, s.revoked_at
  FROM refresh_tokens t
  JOIN sessions s ON s.session_sid = t.session_sid
 WHERE t.token_hash = %(token_hash)s
   FOR UPDATE

-- name: spend_refresh_token
UPDATE refresh_tokens SET used_at = %(now)s WHERE token_hash = %(token_hash)s AND used_at IS NULL
