-- name: add_comparison
-- A line is compared once: what was expected then is what counts.
INSERT INTO price_comparisons (subject_id, line_id, customer_sid, price_id, quantity, currency, source, expected_minor,
       actual_minor, matched, price_fingerprint, engine_version, compared_at)
VALUES (%(subject_id)s, %(line_id)s, %(customer_sid)s, %(price_id)s, %(quantity)s, %(currency)s, %(source)s,
       %(expected_minor)s, %(actual_minor)s, %(matched)s, %(price_fingerprint)s, %(engine_version)s, %(compared_at)s)
ON DUPLICATE KEY UPDATE subject_id = VALUES(subject_id)

-- name: find_shown
-- What the buyer of a subscription was shown.
SELECT p.price_id, p.quantity, p.currency, p.amount_minor
  FROM checkout_sessions c
  JOIN price_previews p ON p.checkout_session_sid = c.checkout_session_sid
 WHERE c.customer_sid = %(customer_sid)s AND c.subscription_id = %(subscription_id)s

-- name: count_comparisons
SELECT COUNT(*) AS compared, COALESCE(SUM(matched), 0) AS matched
  FROM price_comparisons
 WHERE compared_at >= %(since)s AND compared_at < %(until)s

-- name: list_drift
SELECT subject_id, line_id, customer_sid, price_id, quantity, currency, source, expected_minor, actual_minor,
       price_fingerprint, engine_version, compared_at
  FROM price_comparisons
 WHERE matched = 0 AND compared_at >= %(since)s AND CONCAT(subject_id, ':', line_id) > %(after)s
 ORDER BY CONCAT(subject_id, ':', line_id)
 LIMIT %(limit)s
