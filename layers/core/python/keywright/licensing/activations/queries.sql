-- name: count_activations
SELECT COUNT(*) AS taken FROM license_activations WHERE license_sid = %(license_sid)s

-- name: find_activation
SELECT activation_sid, license_sid, fingerprint, label, activated_at, seen_at
  FROM license_activations
 WHERE license_sid = %(license_sid)s AND fingerprint = %(fingerprint)s

-- name: get_activation
SELECT activation_sid, license_sid, fingerprint, label, activated_at, seen_at
  FROM license_activations
 WHERE license_sid = %(license_sid)s AND activation_sid = %(activation_sid)s

-- name: list_activations
SELECT activation_sid, license_sid, fingerprint, label, activated_at, seen_at
  FROM license_activations
 WHERE license_sid = %(license_sid)s AND activation_sid > %(after)s
 ORDER BY activation_sid
 LIMIT %(limit)s

-- name: list_dead
-- Machines that have not been heard of since then, the longest silent first.
SELECT activation_sid, license_sid, fingerprint, label, activated_at, seen_at
  FROM license_activations
 WHERE license_sid = %(license_sid)s AND seen_at < %(before)s
 ORDER BY seen_at, activation_sid
 LIMIT %(limit)s

-- name: add_activation
INSERT INTO license_activations (activation_sid, license_sid, fingerprint, label, activated_at, seen_at)
VALUES (%(activation_sid)s, %(license_sid)s, %(fingerprint)s, %(label)s, %(now)s, %(now)s)

-- name: touch_activation
UPDATE license_activations SET seen_at = GREATEST(seen_at, %(now)s) WHERE activation_sid = %(activation_sid)s

-- name: remove_activation
DELETE FROM license_activations WHERE license_sid = %(license_sid)s AND activation_sid = %(activation_sid)s
