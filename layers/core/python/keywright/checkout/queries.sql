-- name: add_checkout
INSERT INTO checkout_sessions (checkout_session_sid, customer_sid, domain_sid, price_id, quantity, mode, amount_minor,
       currency, state, created_at, challenge)
VALUES (%(checkout_session_sid)s, %(customer_sid)s, %(domain_sid)s, %(price_id)s, %(quantity)s, %(mode)s, %(amount_minor)s,
       %(currency)s, 'CREATING', %(created_at)s, %(challenge)s)

-- name: record_session
-- A webhook may have been faster than our own answer from Stripe: what it set stays.
UPDATE checkout_sessions
   SET stripe_session_id = %(stripe_session_id)s, url = %(url)s, expires_at = %(expires_at)s,
       state = CASE WHEN state = 'CREATING' THEN 'OPEN' ELSE state END
 WHERE checkout_session_sid = %(checkout_session_sid)s

-- name: find_checkout
SELECT checkout_session_sid, customer_sid, domain_sid, price_id, quantity, mode, amount_minor, currency, state,
       stripe_session_id, url, created_at, challenge
  FROM checkout_sessions
 WHERE customer_sid = %(customer_sid)s AND checkout_session_sid = %(checkout_session_sid)s

-- name: lock_checkout
SELECT checkout_session_sid, customer_sid, domain_sid, price_id, quantity, mode, amount_minor, currency, state,
       stripe_session_id, url, created_at, challenge
  FROM checkout_sessions
 WHERE customer_sid = %(customer_sid)s AND checkout_session_sid = %(checkout_session_sid)s
   FOR UPDATE

-- name: set_state
UPDATE checkout_sessions
   SET stripe_session_id = %(stripe_session_id)s, state = %(state)s, payment_status = %(payment_status)s,
       subscription_id = %(subscription_id)s, payment_intent_id = %(payment_intent_id)s, observed_at = %(observed_at)s,
       observed_by = %(observed_by)s
 WHERE checkout_session_sid = %(checkout_session_sid)s

-- name: find_intent_of
SELECT payment_intent_id FROM checkout_sessions WHERE stripe_session_id = %(stripe_session_id)s

-- name: find_session_paid_by
SELECT stripe_session_id FROM checkout_sessions WHERE payment_intent_id = %(payment_intent_id)s
