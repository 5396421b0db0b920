-- name: find_licensed
-- A license of the customer, and what it was bought with.
SELECT l.license_sid, l.customer_sid, l.domain_sid, l.product_id, l.kind, l.state, l.source_kind, l.source_id, l.current_seq
  FROM licenses l
 WHERE l.license_sid = %(license_sid)s AND l.customer_sid = %(customer_sid)s

-- name: list_reporting
-- The licenses of a customer that have reported usage.
SELECT l.license_sid, l.customer_sid, l.domain_sid, l.product_id, l.kind, l.state, l.source_kind, l.source_id, l.current_seq
  FROM usage_accounts a
  JOIN licenses l ON l.license_sid = a.license_sid
 WHERE a.customer_sid = %(customer_sid)s
 ORDER BY l.license_sid
 LIMIT %(limit)s

-- name: find_import
SELECT import_sid, kid, seq, period_start, period_end, hours, imported_at
  FROM usage_imports
 WHERE license_sid = %(license_sid)s AND digest = %(digest)s

-- name: find_key
SELECT public_jwk FROM usage_export_keys WHERE license_sid = %(license_sid)s AND kid = %(kid)s

-- name: pin_key
INSERT INTO usage_export_keys (license_sid, kid, public_jwk, pinned_by, pinned_at)
VALUES (%(license_sid)s, %(kid)s, %(public_jwk)s, %(pinned_by)s, %(now)s)

-- name: find_head
SELECT seq, digest, period_end, counters
  FROM usage_imports
 WHERE license_sid = %(license_sid)s AND kid = %(kid)s
 ORDER BY seq DESC
 LIMIT 1

-- name: add_import
INSERT INTO usage_imports (license_sid, kid, seq, import_sid, digest, period_start, period_end, counters, hours, imported_by,
       imported_at)
VALUES (%(license_sid)s, %(kid)s, %(seq)s, %(import_sid)s, %(digest)s, %(period_start)s, %(period_end)s, %(counters)s,
       %(hours)s, %(imported_by)s, %(now)s)
