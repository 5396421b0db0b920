-- name: add_invoice
INSERT INTO contract_invoices (invoice_sid, document_kind, customer_sid, contract_sid, subscription_sid, corrects_sid,
       legal_entity_sid, billing_key, state, currency, total_minor, period_start, period_end, billed_at, collection,
       payment_terms_days, reason, created_at)
VALUES (%(invoice_sid)s, %(document_kind)s, %(customer_sid)s, %(contract_sid)s, %(subscription_sid)s, %(corrects_sid)s,
       %(legal_entity_sid)s, %(billing_key)s, 'DRAFT', %(currency)s, %(total_minor)s, %(period_start)s, %(period_end)s,
       %(billed_at)s, %(collection)s, %(payment_terms_days)s, %(reason)s, %(now)s)

-- name: add_invoice_line
INSERT INTO contract_invoice_lines (invoice_sid, line_no, biller, description, plan_sid, plan_version, quantity, amount_minor,
       currency, period_start, period_end, proration, used_from, used_until, usage_cut)
VALUES (%(invoice_sid)s, %(line_no)s, %(biller)s, %(description)s, %(plan_sid)s, %(plan_version)s, %(quantity)s,
       %(amount_minor)s, %(currency)s, %(period_start)s, %(period_end)s, %(proration)s, %(used_from)s, %(used_until)s,
       %(usage_cut)s)

-- name: issue_invoice
UPDATE contract_invoices
   SET state = 'OPEN', document_no = %(document_no)s, document_number = %(document_number)s, seller = %(seller)s,
       buyer = %(buyer)s, issued_at = %(now)s, due_at = %(due_at)s
 WHERE invoice_sid = %(invoice_sid)s

-- name: set_invoice_state
UPDATE contract_invoices
   SET state = %(state)s, paid_at = %(paid_at)s, payment_reference = %(payment_reference)s, closed_at = %(closed_at)s
 WHERE invoice_sid = %(invoice_sid)s

-- name: set_credited
UPDATE contract_invoices SET credited_minor = %(credited_minor)s WHERE invoice_sid = %(invoice_sid)s

-- name: attach_stripe_invoice
UPDATE contract_invoices
   SET stripe_invoice_id = %(stripe_invoice_id)s, stripe_invoice_url = COALESCE(%(stripe_invoice_url)s, stripe_invoice_url)
 WHERE invoice_sid = %(invoice_sid)s AND COALESCE(stripe_invoice_id, %(stripe_invoice_id)s) = %(stripe_invoice_id)s

-- name: find_invoice
SELECT invoice_sid, document_kind, customer_sid, contract_sid, subscription_sid, corrects_sid, legal_entity_sid, billing_key,
       state, currency, total_minor, credited_minor, period_start, period_end, billed_at, collection, payment_terms_days,
       reason, seller, buyer, document_number, issued_at, due_at, paid_at, payment_reference, closed_at, stripe_invoice_id,
       stripe_invoice_url, created_at
  FROM contract_invoices
 WHERE invoice_sid = %(invoice_sid)s AND (%(customer_sid)s IS NULL OR customer_sid = %(customer_sid)s)

-- name: find_invoice_by_key
SELECT invoice_sid, document_kind, corrects_sid FROM contract_invoices WHERE billing_key = %(billing_key)s

-- name: lock_invoice
SELECT invoice_sid, document_kind, customer_sid, contract_sid, subscription_sid, corrects_sid, legal_entity_sid, billing_key,
       state, currency, total_minor, credited_minor, period_start, period_end, billed_at, collection, payment_terms_days,
       reason, seller, buyer, document_number, issued_at, due_at, paid_at, payment_reference, closed_at, stripe_invoice_id,
       stripe_invoice_url, created_at
  FROM contract_invoices
 WHERE invoice_sid = %(invoice_sid)s
   FOR UPDATE

-- name: list_invoices
SELECT invoice_sid, document_kind, customer_sid, contract_sid, subscription_sid, corrects_sid, legal_entity_sid, billing_key,
       state, currency, total_minor, credited_minor, period_start, period_end, billed_at, collection, payment_terms_days,
       reason, seller, buyer, document_number, issued_at, due_at, paid_at, payment_reference, closed_at, stripe_invoice_id,
       stripe_invoice_url, created_at
  FROM contract_invoices
 WHERE (%(customer_sid)s IS NULL OR customer_sid = %(customer_sid)s)
   AND (%(contract_sid)s IS NULL OR contract_sid = %(contract_sid)s)
   AND (%(subscription_sid)s IS NULL OR subscription_sid = %(subscription_sid)s)
   AND (%(state)s IS NULL OR state = %(state)s)
   AND (%(document_kind)s IS NULL OR document_kind = %(document_kind)s)
   AND (%(shows_drafts)s = 1 OR state <> 'DRAFT')
   AND (%(before_sid)s IS NULL OR invoice_sid < %(before_sid)s)
 ORDER BY invoice_sid DESC
 LIMIT %(limit)s

-- name: list_drafts
-- In the order in which they fell due: so are they numbered.
SELECT invoice_sid FROM contract_invoices
 WHERE subscription_sid = %(subscription_sid)s AND state = 'DRAFT'
 ORDER BY billed_at, invoice_sid
 LIMIT 1000

-- name: list_invoice_lines
SELECT line_no, biller, description, plan_sid, plan_version, quantity, amount_minor, period_start, period_end, proration,
       used_from, used_until, usage_cut
  FROM contract_invoice_lines
 WHERE invoice_sid = %(invoice_sid)s
 ORDER BY line_no

-- name: list_usage_cuts
-- Each span of usage that a subscription was billed for: the newest cut of it, how many documents bill it, and the first.
SELECT l.used_from, l.used_until, MAX(l.usage_cut) AS usage_cut, COUNT(*) AS documents, MIN(i.invoice_sid) AS invoice_sid
  FROM contract_invoices i
  JOIN contract_invoice_lines l ON l.invoice_sid = i.invoice_sid
 WHERE i.subscription_sid = %(subscription_sid)s AND l.used_from IS NOT NULL
 GROUP BY l.used_from, l.used_until
 ORDER BY l.used_from

-- name: list_reported_late
-- Subscriptions for which usage was stored after the newest bill of its span. Spans of long ago are not looked at.
SELECT DISTINCT spans.subscription_sid
  FROM (SELECT i.subscription_sid, l.used_from, l.used_until, MAX(l.usage_cut) AS usage_cut
          FROM contract_invoice_lines l
          JOIN contract_invoices i ON i.invoice_sid = l.invoice_sid
         WHERE l.used_until >= %(since)s AND i.subscription_sid > %(after_sid)s
         GROUP BY i.subscription_sid, l.used_from, l.used_until) spans
  JOIN licenses k ON k.source_kind = 'CONTRACT_SUBSCRIPTION' AND k.source_id = spans.subscription_sid
  JOIN usage_events e ON e.license_sid = k.license_sid AND e.occurred_at >= spans.used_from
   AND e.occurred_at < spans.used_until AND e.stored_at >= spans.usage_cut
 ORDER BY spans.subscription_sid
 LIMIT %(limit)s

-- name: sum_credits
SELECT COALESCE(SUM(total_minor), 0) AS credited, COUNT(*) AS notes
  FROM contract_invoices
 WHERE corrects_sid = %(invoice_sid)s
