-- name: lock_subscription
SELECT observed_at, observed_by, status FROM subscriptions WHERE subscription_id = %(subscription_id)s FOR UPDATE

-- name: ensure_subscription
-- Insert first, lock then: two folds of a new subscription take turns from the start. The no-op update does not upgrade
-- a shared lock, which would be a deadlock between the two.
INSERT INTO subscriptions (subscription_id, customer_sid, domain_sid, status, cancel_at_period_end, created_at, observed_at,
       observed_by)
VALUES (%(subscription_id)s, %(customer_sid)s, %(domain_sid)s, 'incomplete', 0, %(created_at)s, '1970-01-01 00:00:01', '')
ON DUPLICATE KEY UPDATE subscription_id = VALUES(subscription_id)

-- name: set_subscription
UPDATE subscriptions
   SET status = %(status)s, cancel_at_period_end = %(cancel_at_period_end)s, canceled_at = %(canceled_at)s,
       ended_at = %(ended_at)s, latest_invoice_id = %(latest_invoice_id)s, observed_at = %(observed_at)s,
       observed_by = %(observed_by)s
 WHERE subscription_id = %(subscription_id)s

-- name: save_item
INSERT INTO subscription_items (item_id, subscription_id, price_id, quantity, current_period_start, current_period_end)
VALUES (%(item_id)s, %(subscription_id)s, %(price_id)s, %(quantity)s, %(current_period_start)s, %(current_period_end)s)
ON DUPLICATE KEY UPDATE price_id = VALUES(price_id), quantity = VALUES(quantity),
       current_period_start = VALUES(current_period_start), current_period_end = VALUES(current_period_end)

-- name: lock_invoice
SELECT observed_at, observed_by, status FROM invoices WHERE invoice_id = %(invoice_id)s FOR UPDATE

-- name: save_invoice
INSERT INTO invoices (invoice_id, customer_sid, subscription_id, invoice_number, status, currency, amount_due, amount_paid,
       total, attempt_count, created_at, paid_at, observed_at, observed_by)
VALUES (%(invoice_id)s, %(customer_sid)s, %(subscription_id)s, %(invoice_number)s, %(status)s, %(currency)s, %(amount_due)s,
       %(amount_paid)s, %(total)s, %(attempt_count)s, %(created_at)s, %(paid_at)s, %(observed_at)s, %(observed_by)s)
ON DUPLICATE KEY UPDATE invoice_number = VALUES(invoice_number), status = VALUES(status), amount_due = VALUES(amount_due),
       amount_paid = VALUES(amount_paid), total = VALUES(total), attempt_count = VALUES(attempt_count),
       paid_at = VALUES(paid_at), observed_at = VALUES(observed_at), observed_by = VALUES(observed_by)
