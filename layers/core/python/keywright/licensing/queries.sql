-- name: add_license
INSERT INTO licenses (license_sid, customer_sid, domain_sid, source_kind, source_id, product_id, kind, usage_based, state,
       current_seq, expires_at, created_at)
VALUES (%(license_sid)s, %(customer_sid)s, %(domain_sid)s, %(source_kind)s, %(source_id)s, %(product_id)s, %(kind)s,
       %(usage_based)s, %(state)s, %(seq)s, %(expires_at)s, %(now)s)

-- name: lock_license
-- Held until commit: two folds of the same purchase take turns.
SELECT license_sid, state, current_seq, expires_at, causes, review_at
  FROM licenses
 WHERE source_id = %(source_id)s AND domain_sid = %(domain_sid)s
   FOR UPDATE

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
-- One page, newest first: the sid sorts by time. Without a customer they are everybody's, for staff.
SELECT l.license_sid, l.customer_sid, l.domain_sid, d.domain_name, l.product_id, COALESCE(p.name, l.product_id) AS product_name, l.kind, l.usage_based,
       l.state, l.current_seq, l.expires_at, l.created_at, l.source_kind, l.source_id, l.causes
  FROM licenses l
  JOIN domains d ON d.customer_sid = l.customer_sid AND d.domain_sid = l.domain_sid
  LEFT JOIN products p ON p.product_id = l.product_id
 WHERE (%(customer_sid)s IS NULL OR l.customer_sid = %(customer_sid)s)
   AND (%(state)s IS NULL OR l.state = %(state)s)
   AND (%(domain_name)s IS NULL OR d.domain_name = %(domain_name)s)
   AND (%(before)s IS NULL OR l.license_sid < %(before)s)
 ORDER BY l.license_sid DESC
 LIMIT %(limit)s

-- name: find_license
-- Without a customer it is anybody's, for staff.
SELECT l.license_sid, l.customer_sid, l.domain_sid, d.domain_name, l.product_id, COALESCE(p.name, l.product_id) AS product_name, l.kind, l.usage_based,
       l.state, l.current_seq, l.expires_at, l.created_at, l.source_kind, l.source_id, l.causes
  FROM licenses l
  JOIN domains d ON d.customer_sid = l.customer_sid AND d.domain_sid = l.domain_sid
  LEFT JOIN products p ON p.product_id = l.product_id
 WHERE l.license_sid = %(license_sid)s AND (%(customer_sid)s IS NULL OR l.customer_sid = %(customer_sid)s)

-- name: lock_by_sid
-- Held until commit: whoever decides on a license, and whoever takes its seats, take turns.
SELECT license_sid, state, current_seq, expires_at, causes, review_at
  FROM licenses
 WHERE license_sid = %(license_sid)s
   FOR UPDATE

-- name: find_current_file
SELECT f.seq, f.kid, f.token, f.expires_at, f.issued_at
  FROM licenses l
  JOIN license_files f ON f.license_sid = l.license_sid AND f.seq = l.current_seq
 WHERE l.license_sid = %(license_sid)s

-- name: find_token
SELECT token FROM license_files WHERE license_sid = %(license_sid)s AND seq = %(seq)s

-- name: list_files
-- Every file that was signed for a license, the newest first.
SELECT seq, kid, token, expires_at, issued_at
  FROM license_files
 WHERE license_sid = %(license_sid)s
 ORDER BY seq DESC
 LIMIT 1000

-- name: add_draft
INSERT INTO license_drafts (license_sid, seq, kid, payload, expires_at, created_at)
VALUES (%(license_sid)s, %(seq)s, %(kid)s, %(payload)s, %(expires_at)s, %(now)s)

-- name: find_draft
SELECT license_sid, seq, kid, payload, expires_at
  FROM license_drafts
 WHERE license_sid = %(license_sid)s AND seq = %(seq)s

-- name: remove_draft
DELETE FROM license_drafts WHERE license_sid = %(license_sid)s AND seq = %(seq)s

-- name: add_given
INSERT INTO license_causes (license_sid, rule, subject, effective_at, observed_at, note)
VALUES (%(license_sid)s, %(rule)s, %(subject)s, %(effective_at)s, %(now)s, %(note)s)

-- name: lift_given
UPDATE license_causes
   SET lifted_at = %(now)s
 WHERE license_sid = %(license_sid)s AND rule = %(rule)s AND subject = %(subject)s AND lifted_at IS NULL

-- name: list_given
SELECT rule, subject, effective_at, observed_at, note, lifted_at
  FROM license_causes
 WHERE license_sid = %(license_sid)s
 ORDER BY observed_at, rule, subject
 LIMIT 1000

-- name: add_edition
INSERT INTO license_editions (license_sid, edition_no, kind, by_staff, reason, note, challenge, base_period, made_at)
VALUES (%(license_sid)s, %(edition_no)s, %(kind)s, %(by_staff)s, %(reason)s, %(note)s, %(challenge)s, %(base_period)s,
       %(made_at)s)

-- name: list_editions
SELECT edition_no, kind, by_staff, reason, note, challenge, base_period, made_at
  FROM license_editions
 WHERE license_sid = %(license_sid)s
 ORDER BY edition_no
 LIMIT 1000

-- name: list_last_editions
-- The licenses that were issued anew, and the edition that counts.
SELECT license_sid, MAX(edition_no) AS edition_no
  FROM license_editions
 WHERE license_sid > %(after)s
 GROUP BY license_sid
 ORDER BY license_sid
 LIMIT %(limit)s

-- name: list_revoked
SELECT license_sid, causes FROM licenses
 WHERE state = 'REVOKED' AND license_sid > %(after)s
 ORDER BY license_sid
 LIMIT %(limit)s

-- name: add_list
INSERT INTO revocation_lists (epoch, content_epoch, kid, token, digest, content_hash, issued_at, next_update)
VALUES (%(epoch)s, %(content_epoch)s, %(kid)s, %(token)s, %(digest)s, %(content_hash)s, %(issued_at)s, %(next_update)s)

-- name: find_last_list
SELECT epoch, content_epoch, token, digest, content_hash, issued_at, next_update
  FROM revocation_lists
 ORDER BY epoch DESC
 LIMIT 1

-- name: find_epoch_at
SELECT content_epoch FROM revocation_lists WHERE issued_at <= %(moment)s ORDER BY issued_at DESC, epoch DESC LIMIT 1

-- name: list_expiring
-- Licenses that run out within a window and are not renewed by then.
SELECT license_sid, source_kind, expires_at
  FROM licenses
 WHERE expires_at > %(now)s AND expires_at <= %(ends)s AND state = 'ACTIVE' AND license_sid > %(after)s
 ORDER BY license_sid
 LIMIT %(limit)s

-- name: find_owner
-- Whom to write to about a license.
SELECT l.license_sid, d.domain_name, COALESCE(p.name, l.product_id) AS product_name, l.expires_at, l.kind, l.state, l.source_kind,
       c.name AS customer_name, c.billing_email
  FROM licenses l
  JOIN customers c ON c.customer_sid = l.customer_sid
  JOIN domains d ON d.customer_sid = l.customer_sid AND d.domain_sid = l.domain_sid
  LEFT JOIN products p ON p.product_id = l.product_id
 WHERE l.license_sid = %(license_sid)s

-- name: find_holder
-- The license behind a token: its file must be one that was issued.
SELECT l.license_sid, l.customer_sid, l.domain_sid, l.product_id, l.kind, l.usage_based, l.state, l.source_kind, l.source_id,
       l.current_seq
  FROM licenses l
  JOIN license_files f ON f.license_sid = l.license_sid AND f.seq = %(seq)s
 WHERE l.license_sid = %(license_sid)s
-- name: count_files_by_key
-- How many licenses still hold an unexpired file that a key signed, and when the last of these files ends.
SELECT f.kid, COUNT(DISTINCT f.license_sid) AS licenses, MAX(f.expires_at) AS needed_until
  FROM license_files f
  JOIN licenses l ON l.license_sid = f.license_sid
 WHERE f.expires_at > %(now)s AND l.state <> 'REVOKED'
 GROUP BY f.kid
 ORDER BY f.kid
 LIMIT 1000

-- name: list_installed
-- The licenses that hold an unexpired file of a key, and the last such file.
SELECT l.license_sid, l.customer_sid, d.domain_name, l.state, MAX(f.seq) AS seq, MAX(f.expires_at) AS needed_until
  FROM license_files f
  JOIN licenses l ON l.license_sid = f.license_sid
  JOIN domains d ON d.customer_sid = l.customer_sid AND d.domain_sid = l.domain_sid
 WHERE f.kid = %(kid)s AND f.expires_at > %(now)s AND l.state <> 'REVOKED' AND l.license_sid > %(after)s
 GROUP BY l.license_sid, l.customer_sid, d.domain_name, l.state
 ORDER BY l.license_sid
 LIMIT %(limit)s
