-- name: lock_unbilled
-- Held until commit: each revision is on one bill.
SELECT r.identifier, r.meter, r.period_start, r.period_end, r.quantity
  FROM usage_revisions r
 WHERE r.license_sid = %(license_sid)s AND r.state = 'SEALED' AND r.route = 'INVOICE' AND r.bill_sid IS NULL
 ORDER BY r.period_start, r.meter, r.window_start, r.revision
 LIMIT %(limit)s
   FOR UPDATE

-- name: billed_before
-- What the period's revisions say that are billed, or are on a bill already.
SELECT COALESCE(SUM(quantity), 0) AS quantity
  FROM usage_revisions
 WHERE license_sid = %(license_sid)s AND meter = %(meter)s AND period_start >= %(span_start)s AND period_start < %(span_end)s
   AND state <> 'REJECTED' AND (route = 'METER' OR bill_sid IS NOT NULL)

-- name: add_bill
INSERT INTO usage_bills (bill_sid, license_sid, customer_sid, currency, created_at)
VALUES (%(bill_sid)s, %(license_sid)s, %(customer_sid)s, %(currency)s, %(now)s)

-- name: add_bill_line
INSERT INTO usage_bill_lines (bill_sid, position, meter, quantity, amount, description, period_start, period_end)
VALUES (%(bill_sid)s, %(position)s, %(meter)s, %(quantity)s, %(amount)s, %(description)s, %(period_start)s, %(period_end)s)

-- name: put_on_bill
UPDATE usage_revisions SET bill_sid = %(bill_sid)s WHERE identifier IN %(identifiers)s AND state = 'SEALED'

-- name: find_bill
SELECT b.bill_sid, b.license_sid, b.customer_sid, b.currency, b.invoice_id, c.stripe_customer_id
  FROM usage_bills b
  JOIN customers c ON c.customer_sid = b.customer_sid
 WHERE b.bill_sid = %(bill_sid)s

-- name: list_bill_lines
SELECT position, meter, quantity, amount, description, period_start, period_end
  FROM usage_bill_lines
 WHERE bill_sid = %(bill_sid)s
 ORDER BY position
 LIMIT 500

-- name: set_billed
UPDATE usage_bills SET invoice_id = %(invoice_id)s, billed_at = %(now)s WHERE bill_sid = %(bill_sid)s AND invoice_id IS NULL

-- name: confirm_bill
UPDATE usage_revisions
   SET state = 'CONFIRMED', pushed_at = %(now)s, settled_at = %(now)s
 WHERE bill_sid = %(bill_sid)s AND state = 'SEALED'

-- name: find_item_price
SELECT price_id FROM subscription_items WHERE item_id = %(item_id)s
