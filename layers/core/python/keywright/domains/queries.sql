-- name: add_domain
INSERT INTO domains (domain_sid, customer_sid, domain_name, state, verification_token, created_at, next_check_at)
VALUES (%(domain_sid)s, %(customer_sid)s, %(domain_name)s, 'PENDING', %(verification_token)s, %(now)s, %(next_check_at)s)

-- name: find_domain
-- A foreign domain is absent here, not forbidden.
SELECT domain_sid, customer_sid, domain_name, state, verification_token, created_at, verified_at, updated_at, failed_checks,
       last_check
  FROM domains
 WHERE customer_sid = %(customer_sid)s AND domain_sid = %(domain_sid)s AND state <> 'DELETED'

-- name: lock_domain
-- Held until commit: whoever binds something to the domain waits for whoever gives it up, and the other way round.
SELECT domain_sid, customer_sid, domain_name, state, verification_token, created_at, verified_at, updated_at, failed_checks,
       last_check
  FROM domains
 WHERE customer_sid = %(customer_sid)s AND domain_sid = %(domain_sid)s AND state <> 'DELETED'
   FOR UPDATE

-- name: find_ever
-- For what was bought in the past: a domain that was given up is still the one that it was bought for.
SELECT domain_sid, customer_sid, domain_name, state, verification_token, created_at, verified_at, updated_at, failed_checks,
       last_check
  FROM domains
 WHERE customer_sid = %(customer_sid)s AND domain_sid = %(domain_sid)s

-- name: find_to_check
-- For the job that checks, which acts for nobody.
SELECT domain_sid, customer_sid, domain_name, state, verification_token, created_at, verified_at, updated_at, failed_checks,
       last_check
  FROM domains
 WHERE domain_sid = %(domain_sid)s AND state <> 'DELETED'

-- name: list_domains
-- Sids rise with time, so the list is in order of creation and a cursor never skips or repeats.
SELECT domain_sid, customer_sid, domain_name, state, verification_token, created_at, verified_at, updated_at, failed_checks,
       last_check
  FROM domains
 WHERE customer_sid = %(customer_sid)s AND domain_sid > %(after)s AND state <> 'DELETED'
   AND (%(state)s IS NULL OR state = %(state)s)
 ORDER BY domain_sid
 LIMIT %(limit)s

-- name: list_due
SELECT domain_sid, next_check_at
  FROM domains
 WHERE next_check_at <= %(now)s
 ORDER BY next_check_at, domain_sid
 LIMIT %(limit)s

-- name: rename_domain
-- Another name is another claim: proof, token and checks begin anew.
UPDATE domains
   SET domain_name = %(domain_name)s, state = 'PENDING', verification_token = %(verification_token)s, verified_at = NULL,
       last_checked_at = NULL, last_check = NULL, failed_checks = 0, next_check_at = %(next_check_at)s
 WHERE customer_sid = %(customer_sid)s AND domain_sid = %(domain_sid)s

-- name: delete_domain
UPDATE domains
   SET state = 'DELETED', verified_at = NULL, next_check_at = NULL
 WHERE customer_sid = %(customer_sid)s AND domain_sid = %(domain_sid)s

-- name: list_bindings
-- What is bound to a domain: to a name for ever by any license, to the domain as long as something of it is alive. What
-- is paid binds until it has given its own license, whichever the domain had before: `find_processing` of checkouts asks
-- the same of one product.
SELECT 'license-ever' AS binding
  FROM licenses
 WHERE customer_sid = %(customer_sid)s AND domain_sid = %(domain_sid)s
 UNION
SELECT 'license' AS binding
  FROM licenses
 WHERE customer_sid = %(customer_sid)s AND domain_sid = %(domain_sid)s
   AND state NOT IN ('CANCELED', 'EXPIRED', 'REVOKED')
 UNION
SELECT 'subscription' AS binding
  FROM subscriptions
 WHERE customer_sid = %(customer_sid)s AND domain_sid = %(domain_sid)s
   AND status NOT IN ('canceled', 'incomplete_expired')
 UNION
SELECT 'checkout' AS binding
  FROM checkout_sessions c
 WHERE c.customer_sid = %(customer_sid)s AND c.domain_sid = %(domain_sid)s
   AND (c.state IN ('CREATING', 'OPEN')
        OR c.state = 'COMPLETE' AND c.payment_failed_at IS NULL AND c.created_at > %(recent)s
           AND NOT EXISTS (SELECT 1 FROM licenses l
                            WHERE l.customer_sid = c.customer_sid AND l.domain_sid = c.domain_sid
                              AND (l.source_id = c.stripe_session_id
                                   OR l.source_id IN (SELECT i.item_id FROM subscription_items i
                                                       WHERE i.subscription_id = c.subscription_id)))
           AND NOT EXISTS (SELECT 1 FROM subscriptions s
                            WHERE s.subscription_id = c.subscription_id
                              AND s.status IN ('canceled', 'incomplete_expired')))
 ORDER BY binding
 LIMIT 10

-- name: record_check
UPDATE domains
   SET last_checked_at = %(checked_at)s, last_check = %(last_check)s, failed_checks = %(failed_checks)s,
       next_check_at = %(next_check_at)s
 WHERE domain_sid = %(domain_sid)s

-- name: lock_owner
-- Whoever has proven the name until now.
SELECT domain_sid, customer_sid, domain_name, state, verification_token, created_at, verified_at, updated_at, failed_checks,
       last_check
  FROM domains
 WHERE verified_name = %(domain_name)s
   FOR UPDATE

-- name: verify_domain
UPDATE domains
   SET state = 'VERIFIED', verified_at = %(now)s, failed_checks = 0
 WHERE domain_sid = %(domain_sid)s

-- name: set_stale
UPDATE domains
   SET state = 'STALE', verified_at = NULL, next_check_at = NULL
 WHERE domain_sid = %(domain_sid)s

-- name: find_recipient
SELECT d.domain_name, c.name AS customer_name, c.billing_email
  FROM domains d
  JOIN customers c ON c.customer_sid = d.customer_sid
 WHERE d.domain_sid = %(domain_sid)s
