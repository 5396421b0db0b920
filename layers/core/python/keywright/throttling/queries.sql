-- name: open_bucket
-- Makes sure of the row, so that the lock below has something to hold.
INSERT INTO throttles (bucket, paid_until) VALUES (%(bucket)s, %(now)s) ON DUPLICATE KEY UPDATE bucket = VALUES(bucket)

-- name: lock_bucket
SELECT paid_until FROM throttles WHERE bucket = %(bucket)s FOR UPDATE

-- name: set_paid_until
UPDATE throttles SET paid_until = %(paid_until)s WHERE bucket = %(bucket)s

-- name: drop_full
-- A bucket without debt is as good as none.
DELETE FROM throttles WHERE paid_until < %(now)s LIMIT %(limit)s
