-- name: claim
-- Takes the row whether or not it is there, and keeps it locked: two who begin to bill the same thing take turns.
INSERT INTO billed_things (domain_sid, product_id, customer_sid, biller, held_by)
VALUES (%(domain_sid)s, %(product_id)s, %(customer_sid)s, %(biller)s, %(held_by)s)
ON DUPLICATE KEY UPDATE domain_sid = VALUES(domain_sid)

-- name: find
SELECT biller, held_by FROM billed_things WHERE domain_sid = %(domain_sid)s AND product_id = %(product_id)s

-- name: hand_over
UPDATE billed_things SET biller = %(biller)s, held_by = %(held_by)s
 WHERE domain_sid = %(domain_sid)s AND product_id = %(product_id)s

-- name: find_live_contract
SELECT subscription_sid AS held_by
  FROM contract_subscriptions
 WHERE live_domain_sid = %(domain_sid)s AND product_id = %(product_id)s
 LIMIT 1

-- name: find_contract_at
-- The contract subscription that billed a thing at a moment.
SELECT subscription_sid AS held_by
  FROM contract_subscriptions
 WHERE domain_sid = %(domain_sid)s AND product_id = %(product_id)s AND created_at <= %(moment)s
   AND (ended_at IS NULL OR ended_at > %(moment)s)
 LIMIT 1

-- name: find_live_stripe
-- A checkout that may still be paid, a one-time purchase, or a subscription that has not ended.
SELECT c.checkout_session_sid AS held_by
  FROM checkout_sessions c
  JOIN prices p ON p.price_id = c.price_id
 WHERE c.domain_sid = %(domain_sid)s AND p.product_id = %(product_id)s
   AND (c.state = 'CREATING' AND c.created_at > %(creating_before)s
        OR c.state = 'OPEN' AND c.expires_at > %(now)s
        OR c.state = 'COMPLETE' AND c.mode = 'payment' AND c.payment_failed_at IS NULL)
UNION ALL
SELECT s.subscription_id AS held_by
  FROM subscriptions s
  JOIN subscription_items i ON i.subscription_id = s.subscription_id
  JOIN prices p ON p.price_id = i.price_id
 WHERE s.domain_sid = %(domain_sid)s AND p.product_id = %(product_id)s
   AND s.status NOT IN ('canceled', 'incomplete_expired')
 LIMIT 1
