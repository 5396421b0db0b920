-- name: add_checkout
INSERT INTO checkout_sessions (checkout_session_sid, customer_sid, domain_sid, price_id, product_id, quantity, mode,
       amount_minor, currency, state, idempotency_key, attempt_no, attempted_at, params, params_hash, created_at,
       challenge, correlation_id)
VALUES (%(checkout_session_sid)s, %(customer_sid)s, %(domain_sid)s, %(price_id)s, %(product_id)s, %(quantity)s, %(mode)s,
       %(amount_minor)s, %(currency)s, 'CREATING', %(idempotency_key)s, %(attempt_no)s, %(attempted_at)s, %(params)s,
       SHA2(%(params)s, 256), %(created_at)s, %(challenge)s, %(correlation_id)s)

-- name: add_preview
INSERT INTO price_previews (checkout_session_sid, customer_sid, price_id, quantity, currency, amount_minor, price_fingerprint,
       engine_version, lines_text, created_at)
VALUES (%(checkout_session_sid)s, %(customer_sid)s, %(price_id)s, %(quantity)s, %(currency)s, %(amount_minor)s,
       %(price_fingerprint)s, %(engine_version)s, %(lines_text)s, %(created_at)s)

-- name: find_preview
SELECT price_id, quantity, currency, amount_minor FROM price_previews WHERE checkout_session_sid = %(checkout_session_sid)s

-- name: record_session
-- A webhook may have been faster than our own answer from Stripe: what it set stays.
UPDATE checkout_sessions
   SET stripe_session_id = %(stripe_session_id)s, url = %(url)s, expires_at = %(expires_at)s,
       state = CASE WHEN state = 'CREATING' THEN 'OPEN' ELSE state END
 WHERE checkout_session_sid = %(checkout_session_sid)s

-- name: next_attempt
-- A new key, and only after Stripe was seen to have no session of the old one.
UPDATE checkout_sessions
   SET idempotency_key = %(idempotency_key)s, attempt_no = attempt_no + 1, attempted_at = %(attempted_at)s
 WHERE checkout_session_sid = %(checkout_session_sid)s AND state = 'CREATING' AND attempt_no = %(attempt_no)s

-- name: close_checkout
-- Stripe's event of the end may be faster than whoever ended it and knows why. The first reason stays.
UPDATE checkout_sessions
   SET state = 'EXPIRED', failure = COALESCE(failure, %(failure)s)
 WHERE checkout_session_sid = %(checkout_session_sid)s AND state IN ('CREATING', 'OPEN', 'EXPIRED')

-- name: lock_open
SELECT checkout_session_sid, customer_sid, domain_sid, price_id, quantity, mode, amount_minor, currency, state,
       stripe_session_id, url, created_at, product_id, idempotency_key, attempt_no, attempted_at, params, expires_at, failure,
       subscription_id, challenge, payment_failed_at, payment_status
  FROM checkout_sessions
 WHERE customer_sid = %(customer_sid)s AND open_key = %(open_key)s
   FOR UPDATE

-- name: lock_sibling
-- Another price of the product, open for the same domain: whoever pays both has bought one thing twice.
SELECT checkout_session_sid, customer_sid, domain_sid, price_id, quantity, mode, amount_minor, currency, state,
       stripe_session_id, url, created_at, product_id, idempotency_key, attempt_no, attempted_at, params, expires_at, failure,
       subscription_id, challenge, payment_failed_at, payment_status
  FROM checkout_sessions
 WHERE customer_sid = %(customer_sid)s AND domain_sid = %(domain_sid)s AND product_id = %(product_id)s
   AND price_id <> %(price_id)s AND state IN ('CREATING', 'OPEN') AND idempotency_key IS NOT NULL
 ORDER BY checkout_session_sid
 LIMIT 1
   FOR UPDATE

-- name: list_siblings
-- One is open for each price of a product, and nobody has a hundred.
SELECT checkout_session_sid
  FROM checkout_sessions
 WHERE customer_sid = %(customer_sid)s AND domain_sid = %(domain_sid)s AND product_id = %(product_id)s
   AND checkout_session_sid <> %(checkout_session_sid)s AND state IN ('CREATING', 'OPEN')
   AND idempotency_key IS NOT NULL
 ORDER BY checkout_session_sid
 LIMIT 100

-- name: find_unsettled
-- For the job that settles, which acts for nobody.
SELECT checkout_session_sid, customer_sid, domain_sid, price_id, quantity, mode, amount_minor, currency, state,
       stripe_session_id, url, created_at, product_id, idempotency_key, attempt_no, attempted_at, params, expires_at, failure,
       subscription_id, challenge, payment_failed_at, payment_status
  FROM checkout_sessions
 WHERE checkout_session_sid = %(checkout_session_sid)s AND state IN ('CREATING', 'OPEN')

-- name: list_unsettled
-- Checkouts of which Stripe must know more by now: never answered, or past their end without a word.
SELECT checkout_session_sid
  FROM checkout_sessions
 WHERE state = 'CREATING' AND created_at < %(asked_before)s AND idempotency_key IS NOT NULL
    OR state = 'OPEN' AND created_at < %(opened_before)s AND expires_at < %(ended_before)s
 ORDER BY checkout_session_sid
 LIMIT %(limit)s

-- name: find_live_license
SELECT license_sid
  FROM licenses
 WHERE customer_sid = %(customer_sid)s AND domain_sid = %(domain_sid)s AND product_id = %(product_id)s
   AND state NOT IN ('CANCELED', 'EXPIRED', 'REVOKED')
 LIMIT 1

-- name: find_processing
-- Paid, or said to be, of the same product for the same domain, and without the license that will come of it.
SELECT c.checkout_session_sid
  FROM checkout_sessions c
 WHERE c.customer_sid = %(customer_sid)s AND c.domain_sid = %(domain_sid)s
   AND (c.product_id = %(product_id)s OR c.price_id = %(price_id)s)
   AND c.state = 'COMPLETE' AND c.payment_failed_at IS NULL AND c.created_at > %(recent)s
   AND NOT EXISTS (SELECT 1 FROM licenses l
                    WHERE l.customer_sid = c.customer_sid AND l.domain_sid = c.domain_sid
                      AND (l.source_id = c.stripe_session_id
                           OR l.source_id IN (SELECT i.item_id FROM subscription_items i
                                               WHERE i.subscription_id = c.subscription_id)))
   AND NOT EXISTS (SELECT 1 FROM subscriptions s
                    WHERE s.subscription_id = c.subscription_id AND s.status IN ('canceled', 'incomplete_expired'))
 LIMIT 1

-- name: find_result
-- A subscription gives its license by its item, a payment by its session.
SELECT l.license_sid, l.state, l.kind, l.expires_at
  FROM licenses l
 WHERE l.customer_sid = %(customer_sid)s AND l.domain_sid = %(domain_sid)s
   AND (l.source_id = %(stripe_session_id)s
        OR l.source_id IN (SELECT i.item_id FROM subscription_items i WHERE i.subscription_id = %(subscription_id)s))
 ORDER BY l.license_sid
 LIMIT 1

-- name: find_checkout
SELECT checkout_session_sid, customer_sid, domain_sid, price_id, quantity, mode, amount_minor, currency, state,
       stripe_session_id, url, created_at, product_id, idempotency_key, attempt_no, attempted_at, params, expires_at, failure,
       subscription_id, challenge, payment_failed_at, payment_status
  FROM checkout_sessions
 WHERE customer_sid = %(customer_sid)s AND checkout_session_sid = %(checkout_session_sid)s

-- name: lock_checkout
SELECT checkout_session_sid, customer_sid, domain_sid, price_id, quantity, mode, amount_minor, currency, state,
       stripe_session_id, url, created_at, product_id, idempotency_key, attempt_no, attempted_at, params, expires_at, failure,
       subscription_id, challenge, payment_failed_at, payment_status
  FROM checkout_sessions
 WHERE customer_sid = %(customer_sid)s AND checkout_session_sid = %(checkout_session_sid)s
   FOR UPDATE

-- name: set_state
UPDATE checkout_sessions
   SET stripe_session_id = %(stripe_session_id)s, state = %(state)s, payment_status = %(payment_status)s,
       subscription_id = %(subscription_id)s, payment_intent_id = %(payment_intent_id)s,
       payment_failed_at = %(payment_failed_at)s, observed_at = %(observed_at)s, observed_by = %(observed_by)s
 WHERE checkout_session_sid = %(checkout_session_sid)s

-- name: find_intent_of
SELECT payment_intent_id FROM checkout_sessions WHERE stripe_session_id = %(stripe_session_id)s

-- name: find_session_paid_by
SELECT stripe_session_id FROM checkout_sessions WHERE payment_intent_id = %(payment_intent_id)s
