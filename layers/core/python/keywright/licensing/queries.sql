-- name: add_license
INSERT INTO licenses (license_sid, customer_sid, domain_sid, source_kind, source_id, product_id, kind, state, current_seq,
       expires_at, created_at)
VALUES (%(license_sid)s, %(customer_sid)s, %(domain_sid)s, %(source_kind)s, %(source_id)s, %(product_id)s, %(kind)s,
       %(state)s, %(seq)s, %(expires_at)s, %(now)s)

-- name: lock_license
-- Held until commit: two folds of the same purchase take turns.
SELECT license_sid, state, current_seq, expires_at, causes, review_at
  FROM licenses
 WHERE source_id = %(source_id)s AND domain_sid = %(domain_sid)s
   FOR UPDATE

-- name: set_state
UPDATE licenses SET state = %(state)s WHERE license_sid = %(license_sid)s

-- name: set_standing
UPDATE licenses
   SET state = %(state)s, causes = %(causes)s, review_at = %(review_at)s
 WHERE license_sid = %(license_sid)s

-- name: list_sources
SELECT source_id, domain_sid FROM licenses WHERE source_id IN %(source_ids)s ORDER BY source_id, domain_sid

-- name: find_review
SELECT license_sid, source_kind, source_id, domain_sid, review_at
  FROM licenses
 WHERE license_sid = %(license_sid)s AND review_at IS NOT NULL

-- name: clear_review
UPDATE licenses SET review_at = NULL WHERE license_sid = %(license_sid)s

-- name: list_due_reviews
SELECT license_sid, source_kind, source_id, domain_sid, review_at
  FROM licenses
 WHERE review_at <= %(now)s
 ORDER BY review_at, license_sid
 LIMIT %(limit)s

-- name: find_file
SELECT seq FROM license_files WHERE license_sid = %(license_sid)s AND seq = %(seq)s

-- name: set_file
UPDATE licenses SET current_seq = %(seq)s, expires_at = %(expires_at)s WHERE license_sid = %(license_sid)s

-- name: add_file
INSERT INTO license_files (license_sid, seq, kid, token, expires_at, issued_at)
VALUES (%(license_sid)s, %(seq)s, %(kid)s, %(token)s, %(expires_at)s, %(now)s)

-- name: list_licenses
-- One page of a customer's licenses, newest first: the sid sorts by time.
SELECT l.license_sid, l.customer_sid, l.domain_sid, d.domain_name, l.product_id, p.name AS product_name, l.kind, l.state,
       l.current_seq, l.expires_at, l.created_at
  FROM licenses l
  JOIN domains d ON d.customer_sid = l.customer_sid AND d.domain_sid = l.domain_sid
  JOIN products p ON p.product_id = l.product_id
 WHERE l.customer_sid = %(customer_sid)s AND (%(before)s IS NULL OR l.license_sid < %(before)s)
 ORDER BY l.license_sid DESC
 LIMIT %(limit)s

-- name: find_license
SELECT l.license_sid, l.customer_sid, l.domain_sid, d.domain_name, l.product_id, p.name AS product_name, l.kind, l.state,
       l.current_seq, l.expires_at, l.created_at
  FROM licenses l
  JOIN domains d ON d.customer_sid = l.customer_sid AND d.domain_sid = l.domain_sid
  JOIN products p ON p.product_id = l.product_id
 WHERE l.customer_sid = %(customer_sid)s AND l.license_sid = %(license_sid)s

-- name: find_current_file
SELECT f.token
  FROM licenses l
  JOIN license_files f ON f.license_sid = l.license_sid AND f.seq = l.current_seq
 WHERE l.customer_sid = %(customer_sid)s AND l.license_sid = %(license_sid)s

-- name: find_owner
-- Whom to write to about a license.
SELECT l.license_sid, d.domain_name, p.name AS product_name, l.expires_at, c.name AS customer_name, c.billing_email
  FROM licenses l
  JOIN customers c ON c.customer_sid = l.customer_sid
  JOIN domains d ON d.customer_sid = l.customer_sid AND d.domain_sid = l.domain_sid
  JOIN products p ON p.product_id = l.product_id
 WHERE l.license_sid = %(license_sid)s

-- name: find_holder
-- The license behind a token: its file must be one that was issued.
SELECT l.license_sid, l.customer_sid, l.domain_sid, l.product_id, l.kind, l.state, l.source_kind, l.source_id, l.current_seq
  FROM licenses l
  JOIN license_files f ON f.license_sid = l.license_sid AND f.seq = %(seq)s
 WHERE l.license_sid = %(license_sid)s
