-- name: add_user
INSERT INTO users (user_sid, email, email_verified_at, name, password_hash, role, created_at)
VALUES (%(user_sid)s, %(email)s, %(email_verified_at)s, %(name)s, %(password_hash)s, %(role)s, %(now)s)

-- name: find_user
SELECT user_sid, email, email_verified_at, name, password_hash, role, active, created_at
  FROM users
 WHERE user_sid = %(user_sid)s

-- name: find_user_by_email
SELECT user_sid, email, email_verified_at, name, password_hash, role, active, created_at
  FROM users
 WHERE email = %(email)s

-- name: lock_user
SELECT user_sid, email, email_verified_at, name, password_hash, role, active, created_at
  FROM users
 WHERE user_sid = %(user_sid)s
   FOR UPDATE

-- name: replace_registration
-- Only as long as nobody has proven the address: until then whoever registers last is as good as the first.
UPDATE users
   SET name = %(name)s, password_hash = %(password_hash)s, registration = registration + 1
 WHERE user_sid = %(user_sid)s AND email_verified_at IS NULL

-- name: set_password_hash
UPDATE users SET password_hash = %(password_hash)s WHERE user_sid = %(user_sid)s

-- name: set_email_verified
-- The token proves the address that it was sent to, which need no longer be the user's, and brings the registration to
-- life that it was made for: not the password of whoever signed up before or after with the same address.
UPDATE users
   SET email_verified_at = COALESCE(email_verified_at, %(now)s)
 WHERE user_sid = %(user_sid)s AND email = %(email)s AND registration = %(registration)s AND active = 1

-- name: prove_email
-- Whoever resets a password by mail has read the mail.
UPDATE users
   SET email_verified_at = COALESCE(email_verified_at, %(now)s)
 WHERE user_sid = %(user_sid)s

-- name: set_new_email
UPDATE users SET new_email = %(new_email)s WHERE user_sid = %(user_sid)s

-- name: find_new_email
SELECT new_email FROM users WHERE user_sid = %(user_sid)s

-- name: change_email
UPDATE users
   SET email = new_email, new_email = NULL, email_verified_at = %(now)s
 WHERE user_sid = %(user_sid)s AND new_email = %(email)s AND active = 1

-- name: list_users
-- A list for staff, in order of creation. A filter that is NULL asks for nothing.
SELECT user_sid, email, email_verified_at, name, password_hash, role, active, created_at
  FROM users
 WHERE user_sid > %(after)s
   AND (%(role)s IS NULL OR role = %(role)s)
   AND (%(active)s IS NULL OR active = %(active)s)
   AND (%(email)s IS NULL OR LOCATE(%(email)s, email) > 0)
 ORDER BY user_sid
 LIMIT %(limit)s

-- name: lock_for_administration
-- Whoever acts, whoever is acted upon, and every manager: the three facts that decide, none of which may move meanwhile.
SELECT user_sid, email, email_verified_at, name, password_hash, role, active, created_at
  FROM users
 WHERE user_sid IN (%(actor_sid)s, %(user_sid)s) OR (role = 'MANAGER' AND active = 1)
 ORDER BY user_sid
   FOR UPDATE

-- name: set_role
UPDATE users SET role = %(role)s WHERE user_sid = %(user_sid)s

-- name: set_active
UPDATE users SET active = %(active)s WHERE user_sid = %(user_sid)s

-- name: describe_users
SELECT user_sid, email, email_verified_at, name, password_hash, role, active, created_at
  FROM users
 WHERE user_sid IN %(user_sids)s

-- name: remember_network
INSERT INTO known_networks (user_sid, network, last_used_at)
VALUES (%(user_sid)s, %(network)s, %(now)s)
ON DUPLICATE KEY UPDATE last_used_at = VALUES(last_used_at)

-- name: is_known_network
SELECT 1 AS known FROM known_networks WHERE user_sid = %(user_sid)s AND network = %(network)s

-- name: drop_old_networks
DELETE FROM known_networks WHERE last_used_at < %(before)s LIMIT %(limit)s

-- name: drop_old_mail_tokens
DELETE FROM mail_tokens WHERE expires_at < %(before)s LIMIT %(limit)s

-- name: add_mail_token
-- The registration is read here, in the row that the caller has locked.
INSERT INTO mail_tokens (token_hash, user_sid, purpose, email, registration, created_at, expires_at)
SELECT %(token_hash)s, user_sid, %(purpose)s, %(email)s, registration, %(now)s, %(expires_at)s
  FROM users
 WHERE user_sid = %(user_sid)s

-- name: drop_unused_mail_tokens
-- A newer mail takes the place of the older ones. Used tokens stay as a record.
DELETE FROM mail_tokens WHERE user_sid = %(user_sid)s AND purpose = %(purpose)s AND used_at IS NULL

-- name: spend_mail_token
-- One statement, so that of two who present the same token only one finds it unused.
UPDATE mail_tokens
   SET used_at = %(now)s
 WHERE token_hash = %(token_hash)s AND purpose = %(purpose)s AND used_at IS NULL AND expires_at > %(now)s

-- name: find_mail_token
SELECT user_sid, email, registration FROM mail_tokens WHERE token_hash = %(token_hash)s

-- name: is_mail_token_good
SELECT 1 AS good
  FROM mail_tokens
 WHERE token_hash = %(token_hash)s AND purpose = %(purpose)s AND used_at IS NULL AND expires_at > %(now)s

-- name: add_session
INSERT INTO sessions (session_sid, user_sid, customer_sid, user_agent, address, created_at, last_used_at, expires_at)
VALUES (%(session_sid)s, %(user_sid)s, %(customer_sid)s, %(user_agent)s, %(address)s, %(now)s, %(now)s, %(expires_at)s)

-- name: find_session
SELECT session_sid, user_sid, customer_sid, last_used_at, expires_at, revoked_at
  FROM sessions
 WHERE session_sid = %(session_sid)s

-- name: touch_session
UPDATE sessions
   SET last_used_at = %(now)s, user_agent = %(user_agent)s, address = %(address)s
 WHERE session_sid = %(session_sid)s

-- name: list_open_sessions
SELECT session_sid, user_agent, address, created_at, last_used_at, expires_at
  FROM sessions
 WHERE user_sid = %(user_sid)s AND session_sid > %(after)s
   AND revoked_at IS NULL AND expires_at > %(now)s AND last_used_at > %(used_after)s
 ORDER BY session_sid
 LIMIT %(limit)s

-- name: lock_sessions_of_user
SELECT session_sid FROM sessions WHERE user_sid = %(user_sid)s AND revoked_at IS NULL ORDER BY session_sid FOR UPDATE

-- name: lock_sessions_of_member
SELECT session_sid
  FROM sessions
 WHERE user_sid = %(user_sid)s AND customer_sid = %(customer_sid)s AND revoked_at IS NULL
 ORDER BY session_sid
   FOR UPDATE

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
SELECT t.token_hash, t.generation, t.used_at, t.sealed_child,
       s.session_sid, s.user_sid, s.customer_sid, s.last_used_at, s.expires_at, s.revoked_at
  FROM refresh_tokens t
  JOIN sessions s ON s.session_sid = t.session_sid
 WHERE t.token_hash = %(token_hash)s
   FOR UPDATE

-- name: spend_refresh_token
UPDATE refresh_tokens
   SET used_at = %(now)s, sealed_child = %(sealed_child)s
 WHERE token_hash = %(token_hash)s AND used_at IS NULL

-- name: drop_sealed_children
-- Once the child is spent nobody may get it again: its seal has served.
UPDATE refresh_tokens
   SET sealed_child = NULL
 WHERE session_sid = %(session_sid)s AND generation = %(generation)s

-- name: is_generation_unused
SELECT 1 AS unused
  FROM refresh_tokens
 WHERE session_sid = %(session_sid)s AND generation = %(generation)s AND used_at IS NULL
