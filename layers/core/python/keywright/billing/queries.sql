-- name: ensure_subscription
-- Insert first, set then: a row that is there is not inserted, and the no-op update does not upgrade a shared lock.
INSERT INTO subscriptions (subscription_id, customer_sid, domain_sid, status, cancel_at_period_end, created_at, observed_at,
       observed_by)
VALUES (%(subscription_id)s, %(customer_sid)s, %(domain_sid)s, 'incomplete', 0, %(created_at)s, '1970-01-01 00:00:01', '')
ON DUPLICATE KEY UPDATE subscription_id = VALUES(subscription_id)

-- name: set_subscription
UPDATE subscriptions
   SET stripe_customer_id = %(stripe_customer_id)s, status = %(status)s, cancel_at_period_end = %(cancel_at_period_end)s,
       cancel_at = %(cancel_at)s, canceled_at = %(canceled_at)s, ended_at = %(ended_at)s, trial_end = %(trial_end)s,
       pause_behavior = %(pause_behavior)s, pause_resumes_at = %(pause_resumes_at)s,
       default_payment_method_id = %(default_payment_method_id)s, latest_invoice_id = %(latest_invoice_id)s,
       metadata = %(metadata)s, created_at = %(created_at)s, observed_at = %(observed_at)s, observed_by = %(observed_by)s
 WHERE subscription_id = %(subscription_id)s

-- name: set_owner
UPDATE subscriptions
   SET customer_sid = %(customer_sid)s, domain_sid = %(domain_sid)s
 WHERE subscription_id = %(subscription_id)s

-- name: remove_items
DELETE FROM subscription_items WHERE subscription_id = %(subscription_id)s AND item_id NOT IN %(item_ids)s

-- name: save_item
INSERT INTO subscription_items (item_id, subscription_id, price_id, quantity, current_period_start, current_period_end)
VALUES (%(item_id)s, %(subscription_id)s, %(price_id)s, %(quantity)s, %(current_period_start)s, %(current_period_end)s)
ON DUPLICATE KEY UPDATE subscription_id = VALUES(subscription_id), price_id = VALUES(price_id), quantity = VALUES(quantity),
       current_period_start = VALUES(current_period_start), current_period_end = VALUES(current_period_end)

-- name: save_invoice
INSERT INTO invoices (invoice_id, customer_sid, subscription_id, invoice_number, status, currency, amount_due, amount_paid,
       amount_remaining, total, attempted, attempt_count, billing_reason, collection_method, created_at, due_at,
       next_attempt_at, finalized_at, paid_at, failed_at, awaits_customer, first_retry_at, failed_again_at, observed_at,
       observed_by)
VALUES (%(invoice_id)s, %(customer_sid)s, %(subscription_id)s, %(invoice_number)s, %(status)s, %(currency)s, %(amount_due)s,
       %(amount_paid)s, %(amount_remaining)s, %(total)s, %(attempted)s, %(attempt_count)s, %(billing_reason)s,
       %(collection_method)s, %(created_at)s, %(due_at)s, %(next_attempt_at)s, %(finalized_at)s, %(paid_at)s, %(failed_at)s,
       %(awaits_customer)s, %(first_retry_at)s, %(failed_again_at)s, %(observed_at)s, %(observed_by)s)
ON DUPLICATE KEY UPDATE customer_sid = VALUES(customer_sid), subscription_id = VALUES(subscription_id),
       invoice_number = VALUES(invoice_number), currency = VALUES(currency), billing_reason = VALUES(billing_reason),
       created_at = VALUES(created_at), status = VALUES(status), amount_due = VALUES(amount_due), amount_paid = VALUES(amount_paid),
       amount_remaining = VALUES(amount_remaining), total = VALUES(total), attempted = VALUES(attempted),
       attempt_count = VALUES(attempt_count), billing_reason = VALUES(billing_reason),
       collection_method = VALUES(collection_method), due_at = VALUES(due_at), next_attempt_at = VALUES(next_attempt_at),
       finalized_at = VALUES(finalized_at), paid_at = VALUES(paid_at), failed_at = VALUES(failed_at),
       awaits_customer = VALUES(awaits_customer), first_retry_at = VALUES(first_retry_at),
       failed_again_at = VALUES(failed_again_at), observed_at = VALUES(observed_at), observed_by = VALUES(observed_by)

-- name: remove_invoice
DELETE FROM invoices WHERE invoice_id = %(invoice_id)s

-- name: remove_lines
DELETE FROM invoice_lines WHERE invoice_id = %(invoice_id)s

-- name: add_line
INSERT INTO invoice_lines (invoice_id, line_id, price_id, subscription_item_id, description, quantity, amount, currency,
       proration, period_start, period_end)
VALUES (%(invoice_id)s, %(line_id)s, %(price_id)s, %(subscription_item_id)s, %(description)s, %(quantity)s, %(amount)s,
       %(currency)s, %(proration)s, %(period_start)s, %(period_end)s)

-- name: link_payment
INSERT INTO invoice_payments (invoice_id, payment_id)
VALUES (%(invoice_id)s, %(payment_id)s)
ON DUPLICATE KEY UPDATE payment_id = VALUES(payment_id)

-- name: list_bills
-- A subscription's invoices, the youngest first: were there more, the oldest would be left out, which restrict nobody any more.
SELECT invoice_id, status, amount_remaining, attempted, attempt_count, billing_reason, collection_method, created_at, due_at,
       next_attempt_at, finalized_at, failed_at, awaits_customer, first_retry_at, failed_again_at
  FROM invoices
 WHERE subscription_id = %(subscription_id)s
 ORDER BY created_at DESC, invoice_id DESC
 LIMIT 2000

-- name: find_subscription_of_item
SELECT s.subscription_id, s.stripe_customer_id
  FROM subscription_items i
  JOIN subscriptions s ON s.subscription_id = i.subscription_id
 WHERE i.item_id = %(item_id)s

-- name: find_subscription_of_invoice
SELECT subscription_id FROM invoices WHERE invoice_id = %(invoice_id)s

-- name: save_payment_intent
INSERT INTO payment_intents (payment_intent_id, customer_sid, stripe_customer_id, invoice_id, latest_charge_id, status, amount,
       amount_received, currency, created_at, observed_at, observed_by)
VALUES (%(payment_intent_id)s, %(customer_sid)s, %(stripe_customer_id)s, %(invoice_id)s, %(latest_charge_id)s, %(status)s,
       %(amount)s, %(amount_received)s, %(currency)s, %(created_at)s, %(observed_at)s, %(observed_by)s)
ON DUPLICATE KEY UPDATE customer_sid = VALUES(customer_sid), stripe_customer_id = VALUES(stripe_customer_id),
       invoice_id = VALUES(invoice_id), latest_charge_id = VALUES(latest_charge_id), status = VALUES(status),
       amount = VALUES(amount), amount_received = VALUES(amount_received), currency = VALUES(currency),
       created_at = VALUES(created_at), observed_at = VALUES(observed_at), observed_by = VALUES(observed_by)

-- name: save_charge
INSERT INTO charges (charge_id, customer_sid, stripe_customer_id, payment_intent_id, invoice_id, status, amount, amount_captured,
       amount_refunded, currency, failure_code, card_brand, card_last4, card_exp_month, card_exp_year, created_at, observed_at,
       observed_by)
VALUES (%(charge_id)s, %(customer_sid)s, %(stripe_customer_id)s, %(payment_intent_id)s, %(invoice_id)s, %(status)s, %(amount)s,
       %(amount_captured)s, %(amount_refunded)s, %(currency)s, %(failure_code)s, %(card_brand)s, %(card_last4)s,
       %(card_exp_month)s, %(card_exp_year)s, %(created_at)s, %(observed_at)s, %(observed_by)s)
ON DUPLICATE KEY UPDATE customer_sid = VALUES(customer_sid), stripe_customer_id = VALUES(stripe_customer_id),
       payment_intent_id = VALUES(payment_intent_id), invoice_id = VALUES(invoice_id), status = VALUES(status),
       amount = VALUES(amount), currency = VALUES(currency), created_at = VALUES(created_at),
       amount_captured = VALUES(amount_captured), amount_refunded = VALUES(amount_refunded),
       failure_code = VALUES(failure_code), card_brand = VALUES(card_brand), card_last4 = VALUES(card_last4),
       card_exp_month = VALUES(card_exp_month), card_exp_year = VALUES(card_exp_year), observed_at = VALUES(observed_at),
       observed_by = VALUES(observed_by)

-- name: save_refund
INSERT INTO refunds (refund_id, charge_id, payment_intent_id, status, amount, currency, reason, created_at, observed_at,
       observed_by)
VALUES (%(refund_id)s, %(charge_id)s, %(payment_intent_id)s, %(status)s, %(amount)s, %(currency)s, %(reason)s, %(created_at)s,
       %(observed_at)s, %(observed_by)s)
ON DUPLICATE KEY UPDATE charge_id = VALUES(charge_id), payment_intent_id = VALUES(payment_intent_id),
       status = VALUES(status), amount = VALUES(amount), currency = VALUES(currency), reason = VALUES(reason),
       created_at = VALUES(created_at), observed_at = VALUES(observed_at), observed_by = VALUES(observed_by)

-- name: save_dispute
INSERT INTO disputes (dispute_id, charge_id, payment_intent_id, status, amount, currency, reason, created_at, observed_at,
       observed_by)
VALUES (%(dispute_id)s, %(charge_id)s, %(payment_intent_id)s, %(status)s, %(amount)s, %(currency)s, %(reason)s, %(created_at)s,
       %(observed_at)s, %(observed_by)s)
ON DUPLICATE KEY UPDATE charge_id = VALUES(charge_id), payment_intent_id = VALUES(payment_intent_id),
       status = VALUES(status), amount = VALUES(amount), currency = VALUES(currency), reason = VALUES(reason),
       created_at = VALUES(created_at), observed_at = VALUES(observed_at), observed_by = VALUES(observed_by)

-- name: find_charge
SELECT charge_id, stripe_customer_id, payment_intent_id, invoice_id FROM charges WHERE charge_id = %(charge_id)s

-- name: list_subscriptions_paid_by
-- Whose invoices a payment is for: newer invoices name it, older payments name their invoice.
SELECT i.subscription_id
  FROM invoice_payments p
  JOIN invoices i ON i.invoice_id = p.invoice_id
 WHERE p.payment_id IN %(payment_ids)s AND i.subscription_id IS NOT NULL
 UNION
SELECT i.subscription_id
  FROM invoices i
 WHERE i.invoice_id = %(invoice_id)s AND i.subscription_id IS NOT NULL
 ORDER BY subscription_id

-- name: list_charges_for_subscription
-- Charges name their invoice in old API versions; in new ones the invoice names its payment.
SELECT c.charge_id, c.amount_captured, c.amount_refunded, i.created_at AS invoice_created_at
  FROM invoices i
  JOIN charges c ON c.invoice_id = i.invoice_id
 WHERE i.subscription_id = %(subscription_id)s
 UNION
SELECT c.charge_id, c.amount_captured, c.amount_refunded, i.created_at AS invoice_created_at
  FROM invoices i
  JOIN invoice_payments p ON p.invoice_id = i.invoice_id
  JOIN charges c ON c.payment_intent_id = p.payment_id
 WHERE i.subscription_id = %(subscription_id)s
 UNION
SELECT c.charge_id, c.amount_captured, c.amount_refunded, i.created_at AS invoice_created_at
  FROM invoices i
  JOIN invoice_payments p ON p.invoice_id = i.invoice_id
  JOIN charges c ON c.charge_id = p.payment_id
 WHERE i.subscription_id = %(subscription_id)s
 ORDER BY charge_id
 LIMIT 2000

-- name: list_charges_for_intent
SELECT charge_id, amount_captured, amount_refunded, created_at
  FROM charges
 WHERE payment_intent_id = %(payment_intent_id)s AND status = 'succeeded'
 ORDER BY charge_id
 LIMIT 100

-- name: list_refunds
SELECT charge_id, refund_id, status, amount, created_at FROM refunds WHERE charge_id IN %(charge_ids)s ORDER BY refund_id

-- name: list_disputes
SELECT charge_id, dispute_id, status, amount, created_at FROM disputes WHERE charge_id IN %(charge_ids)s ORDER BY dispute_id

-- name: save_payment_method
INSERT INTO payment_methods (payment_method_id, customer_sid, stripe_customer_id, method_type, card_brand, card_last4,
       card_exp_month, card_exp_year, created_at, observed_at, observed_by)
VALUES (%(payment_method_id)s, %(customer_sid)s, %(stripe_customer_id)s, %(method_type)s, %(card_brand)s, %(card_last4)s,
       %(card_exp_month)s, %(card_exp_year)s, %(created_at)s, %(observed_at)s, %(observed_by)s)
ON DUPLICATE KEY UPDATE customer_sid = VALUES(customer_sid), stripe_customer_id = VALUES(stripe_customer_id),
       method_type = VALUES(method_type), card_brand = VALUES(card_brand), card_last4 = VALUES(card_last4),
       card_exp_month = VALUES(card_exp_month), card_exp_year = VALUES(card_exp_year), created_at = VALUES(created_at),
       observed_at = VALUES(observed_at), observed_by = VALUES(observed_by)

-- name: list_subscriptions_of
-- A page, newest first; without a customer, for staff, of everybody's. NULL means: do not filter by it.
SELECT s.subscription_id, s.customer_sid, s.domain_sid, d.domain_name, s.status, s.cancel_at_period_end, s.cancel_at,
       s.canceled_at, s.ended_at, s.trial_end, s.pause_behavior, s.latest_invoice_id, s.created_at
  FROM subscriptions s
  JOIN domains d ON d.customer_sid = s.customer_sid AND d.domain_sid = s.domain_sid
 WHERE (%(customer_sid)s IS NULL OR s.customer_sid = %(customer_sid)s)
   AND (%(status)s IS NULL OR s.status = %(status)s)
   AND (%(domain_sid)s IS NULL OR s.domain_sid = %(domain_sid)s)
   AND (%(before_at)s IS NULL OR s.created_at < %(before_at)s
        OR s.created_at = %(before_at)s AND s.subscription_id < %(before_id)s)
 ORDER BY s.created_at DESC, s.subscription_id DESC
 LIMIT %(limit)s

-- name: find_subscription_of
-- A foreign subscription is absent here, not forbidden.
SELECT s.subscription_id, s.customer_sid, s.domain_sid, d.domain_name, s.status, s.cancel_at_period_end, s.cancel_at,
       s.canceled_at, s.ended_at, s.trial_end, s.pause_behavior, s.latest_invoice_id, s.created_at
  FROM subscriptions s
  JOIN domains d ON d.customer_sid = s.customer_sid AND d.domain_sid = s.domain_sid
 WHERE s.subscription_id = %(subscription_id)s
   AND (%(customer_sid)s IS NULL OR s.customer_sid = %(customer_sid)s)

-- name: list_items_of
-- What it is called, whether it is still sold or not.
SELECT i.subscription_id, i.item_id, i.price_id, i.quantity, i.current_period_start, i.current_period_end, p.product_id,
       r.name AS product_name
  FROM subscription_items i
  LEFT JOIN prices p ON p.price_id = i.price_id
  LEFT JOIN products r ON r.product_id = p.product_id
 WHERE i.subscription_id IN %(subscription_ids)s
 ORDER BY i.subscription_id, i.item_id

-- name: list_invoices_of
-- A page, newest first; without a customer, for staff, of everybody's. NULL means: do not filter by it.
SELECT invoice_id, customer_sid, subscription_id, invoice_number, status, currency, amount_due, amount_paid,
       amount_remaining, total, attempt_count, billing_reason, collection_method, created_at, due_at, next_attempt_at,
       finalized_at, paid_at,
       (SELECT c.invoice_sid FROM contract_invoices c WHERE c.stripe_invoice_id = invoices.invoice_id) AS collects
  FROM invoices
 WHERE (%(customer_sid)s IS NULL OR customer_sid = %(customer_sid)s)
   AND (%(status)s IS NULL OR status = %(status)s)
   AND (%(subscription_id)s IS NULL OR subscription_id = %(subscription_id)s)
   AND (%(before_at)s IS NULL OR created_at < %(before_at)s
        OR created_at = %(before_at)s AND invoice_id < %(before_id)s)
 ORDER BY created_at DESC, invoice_id DESC
 LIMIT %(limit)s

-- name: find_invoice_of
SELECT invoice_id, customer_sid, subscription_id, invoice_number, status, currency, amount_due, amount_paid,
       amount_remaining, total, attempt_count, billing_reason, collection_method, created_at, due_at, next_attempt_at,
       finalized_at, paid_at,
       (SELECT c.invoice_sid FROM contract_invoices c WHERE c.stripe_invoice_id = invoices.invoice_id) AS collects
  FROM invoices
 WHERE invoice_id = %(invoice_id)s AND (%(customer_sid)s IS NULL OR customer_sid = %(customer_sid)s)

-- name: list_lines_of
SELECT line_id, price_id, subscription_item_id, description, quantity, amount, currency, proration, period_start, period_end
  FROM invoice_lines
 WHERE invoice_id = %(invoice_id)s
 ORDER BY line_id
 LIMIT 1000
