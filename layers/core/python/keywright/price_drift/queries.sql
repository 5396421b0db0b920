-- name: drop_arithmetic
-- Comparisons with what the engine said: they give way to those with what the buyer was shown.
DELETE FROM price_comparisons
 WHERE subject_id = %(subject_id)s AND line_id IN %(line_ids)s AND source = 'ENGINE'

-- name: add_comparisons
-- A line is compared once: what was expected then is what counts.
INSERT INTO price_comparisons (subject_id, line_id, customer_sid, price_id, quantity, currency, source, expected_minor,
       actual_minor, matched, price_fingerprint, engine_version, compared_at, parts, shown_price_id, shown_quantity,
       shown_currency)
VALUES (%(subject_id)s, %(line_id)s, %(customer_sid)s, %(price_id)s, %(quantity)s, %(currency)s, %(source)s,
       %(expected_minor)s, %(actual_minor)s, %(matched)s, %(price_fingerprint)s, %(engine_version)s, %(compared_at)s,
       %(parts)s, %(shown_price_id)s, %(shown_quantity)s, %(shown_currency)s)
ON DUPLICATE KEY UPDATE subject_id = VALUES(subject_id)

-- name: add_uncompared
-- A later look may find another reason; since when it waits stays.
INSERT INTO price_uncompared (subject_id, line_id, customer_sid, price_id, quantity, currency, actual_minor, parts, reason,
       detail, found_at)
VALUES (%(subject_id)s, %(line_id)s, %(customer_sid)s, %(price_id)s, %(quantity)s, %(currency)s, %(actual_minor)s,
       %(parts)s, %(reason)s, %(detail)s, %(found_at)s)
ON DUPLICATE KEY UPDATE reason = VALUES(reason), detail = VALUES(detail)

-- name: drop_uncompared
-- What has been compared since.
DELETE FROM price_uncompared
 WHERE subject_id = %(subject_id)s
   AND EXISTS (SELECT 1 FROM price_comparisons c
                WHERE c.subject_id = price_uncompared.subject_id AND c.line_id = price_uncompared.line_id)

-- name: list_compared
SELECT line_id, source FROM price_comparisons WHERE subject_id = %(subject_id)s AND line_id IN %(line_ids)s

-- name: list_waiting
-- Invoices that wait for a price.
SELECT DISTINCT subject_id
  FROM price_uncompared
 WHERE price_id = %(price_id)s AND reason IN %(reasons)s

-- name: list_purchases
-- The first invoices of a subscription: there is one, but for what somebody made by hand.
SELECT invoice_id
  FROM invoices
 WHERE customer_sid = %(customer_sid)s AND subscription_id = %(subscription_id)s AND billing_reason = 'subscription_create'
   AND finalized_at IS NOT NULL
 ORDER BY invoice_id
 LIMIT 10

-- name: find_shown
-- What the buyer of a subscription was shown.
SELECT p.price_id, p.quantity, p.currency, p.amount_minor, p.price_fingerprint, p.engine_version, c.params
  FROM checkout_sessions c
  JOIN price_previews p ON p.checkout_session_sid = c.checkout_session_sid
 WHERE c.customer_sid = %(customer_sid)s AND c.subscription_id = %(subscription_id)s

-- name: find_shown_at
-- What the buyer was shown when a checkout was opened.
SELECT p.price_id, p.quantity, p.currency, p.amount_minor, p.price_fingerprint, p.engine_version, c.params
  FROM checkout_sessions c
  JOIN price_previews p ON p.checkout_session_sid = c.checkout_session_sid
 WHERE c.customer_sid = %(customer_sid)s AND c.checkout_session_sid = %(checkout_session_sid)s

-- name: count_comparisons
SELECT COUNT(*) AS compared, COALESCE(SUM(matched), 0) AS matched
  FROM price_comparisons
 WHERE compared_at >= %(since)s AND compared_at < %(until)s

-- name: count_uncompared
SELECT reason, COUNT(*) AS found
  FROM price_uncompared
 WHERE found_at >= %(since)s AND found_at < %(until)s
 GROUP BY reason
 ORDER BY reason

-- name: list_drift
SELECT subject_id, line_id, customer_sid, price_id, quantity, currency, source, expected_minor, actual_minor,
       price_fingerprint, engine_version, compared_at, parts, shown_price_id, shown_quantity, shown_currency
  FROM price_comparisons
 WHERE matched = 0 AND compared_at >= %(since)s AND CONCAT(subject_id, ':', line_id) > %(after)s
 ORDER BY CONCAT(subject_id, ':', line_id)
 LIMIT %(limit)s

-- name: list_uncompared
SELECT subject_id, line_id, customer_sid, price_id, quantity, currency, actual_minor, parts, reason, detail, found_at
  FROM price_uncompared
 WHERE found_at >= %(since)s AND CONCAT(subject_id, ':', line_id) > %(after)s
 ORDER BY CONCAT(subject_id, ':', line_id)
 LIMIT %(limit)s
