-- name: add_suppression
-- The first reason stays: a complaint after a bounce changes nothing for the address.
INSERT INTO mail_suppressions (address, reason, detail, feedback_id, suppressed_at)
VALUES (%(address)s, %(reason)s, %(detail)s, %(feedback_id)s, %(now)s)
ON DUPLICATE KEY UPDATE address = address

-- name: find_suppression
SELECT reason, suppressed_at FROM mail_suppressions WHERE address = %(address)s
