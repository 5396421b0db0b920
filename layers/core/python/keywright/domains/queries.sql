-- name: add_domain
INSERT INTO domains (domain_sid, customer_sid, domain_name, state, verification_token, created_at)
VALUES (%(domain_sid)s, %(customer_sid)s, %(domain_name)s, 'PENDING', %(verification_token)s, %(now)s)

-- name: find_domain
-- A foreign domain is absent here, not forbidden.
SELECT domain_sid, customer_sid, domain_name, state, verification_token, created_at
  FROM domains
 WHERE customer_sid = %(customer_sid)s AND domain_sid = %(domain_sid)s

-- name: list_domains
-- Sids rise with time, so the list is in order of creation and a cursor never skips or repeats.
SELECT domain_sid, customer_sid, domain_name, state, verification_token, created_at
  FROM domains
 WHERE customer_sid = %(customer_sid)s AND domain_sid > %(after)s
 ORDER BY domain_sid
 LIMIT %(limit)s
