-- name: add_entity
INSERT INTO legal_entities (legal_entity_sid, name, address, tax_id, bank_details, number_prefix, created_at)
VALUES (%(legal_entity_sid)s, %(name)s, %(address)s, %(tax_id)s, %(bank_details)s, %(number_prefix)s, %(now)s)

-- name: add_counter
INSERT INTO document_numbers (legal_entity_sid, document_kind, last_number)
VALUES (%(legal_entity_sid)s, %(document_kind)s, 0)

-- name: change_entity
UPDATE legal_entities
   SET name = COALESCE(%(name)s, name), address = COALESCE(%(address)s, address), tax_id = COALESCE(%(tax_id)s, tax_id),
       bank_details = COALESCE(%(bank_details)s, bank_details)
 WHERE legal_entity_sid = %(legal_entity_sid)s

-- name: find_entity
SELECT legal_entity_sid, name, address, tax_id, bank_details, number_prefix, created_at
  FROM legal_entities
 WHERE legal_entity_sid = %(legal_entity_sid)s

-- name: list_entities
SELECT legal_entity_sid, name, address, tax_id, bank_details, number_prefix, created_at
  FROM legal_entities
 WHERE legal_entity_sid > %(after)s
 ORDER BY legal_entity_sid
 LIMIT %(limit)s

-- name: lock_counter
-- Held until commit: the next number is given to one document only, and to a document that is really there.
SELECT last_number FROM document_numbers
 WHERE legal_entity_sid = %(legal_entity_sid)s AND document_kind = %(document_kind)s
   FOR UPDATE

-- name: set_counter
UPDATE document_numbers SET last_number = %(last_number)s
 WHERE legal_entity_sid = %(legal_entity_sid)s AND document_kind = %(document_kind)s

-- name: add_contract
INSERT INTO contracts (contract_sid, customer_sid, legal_entity_sid, name, state, terms, currency, starts_on, ends_on, ends_at,
       time_zone, payment_terms_days, collection, dunning_policy, pause_policy, review_invoices, created_at)
VALUES (%(contract_sid)s, %(customer_sid)s, %(legal_entity_sid)s, %(name)s, 'DRAFT', %(terms)s, %(currency)s, %(starts_on)s,
       %(ends_on)s, %(ends_at)s, %(time_zone)s, %(payment_terms_days)s, %(collection)s, %(dunning_policy)s,
       %(pause_policy)s, %(review_invoices)s, %(now)s)

-- name: change_contract
UPDATE contracts
   SET legal_entity_sid = %(legal_entity_sid)s, name = %(name)s, terms = %(terms)s, currency = %(currency)s,
       starts_on = %(starts_on)s, ends_on = %(ends_on)s, ends_at = %(ends_at)s, time_zone = %(time_zone)s,
       payment_terms_days = %(payment_terms_days)s, collection = %(collection)s, dunning_policy = %(dunning_policy)s,
       pause_policy = %(pause_policy)s, review_invoices = %(review_invoices)s
 WHERE contract_sid = %(contract_sid)s

-- name: set_contract_state
UPDATE contracts
   SET state = %(state)s, activated_at = %(activated_at)s, suspended_at = %(suspended_at)s, ended_at = %(ended_at)s
 WHERE contract_sid = %(contract_sid)s

-- name: find_contract
SELECT contract_sid, customer_sid, legal_entity_sid, name, state, terms, currency, starts_on, ends_on, time_zone,
       payment_terms_days, collection, dunning_policy, pause_policy, review_invoices, activated_at, suspended_at, ended_at,
       created_at
  FROM contracts
 WHERE contract_sid = %(contract_sid)s AND (%(customer_sid)s IS NULL OR customer_sid = %(customer_sid)s)

-- name: lock_contract
-- Whatever changes a contract or something under it takes this row first, so that they take turns.
SELECT contract_sid, customer_sid, legal_entity_sid, name, state, terms, currency, starts_on, ends_on, time_zone,
       payment_terms_days, collection, dunning_policy, pause_policy, review_invoices, activated_at, suspended_at, ended_at,
       created_at
  FROM contracts
 WHERE contract_sid = %(contract_sid)s
   FOR UPDATE

-- name: list_contracts
-- One page, newest first: the sid sorts by time.
SELECT contract_sid, customer_sid, legal_entity_sid, name, state, terms, currency, starts_on, ends_on, time_zone,
       payment_terms_days, collection, dunning_policy, pause_policy, review_invoices, activated_at, suspended_at, ended_at,
       created_at
  FROM contracts
 WHERE (%(customer_sid)s IS NULL OR customer_sid = %(customer_sid)s)
   AND (%(state)s IS NULL OR state = %(state)s)
   AND (%(ends_before)s IS NULL OR ends_on < %(ends_before)s)
   AND (%(before_sid)s IS NULL OR contract_sid < %(before_sid)s)
 ORDER BY contract_sid DESC
 LIMIT %(limit)s

-- name: list_expired
SELECT contract_sid FROM contracts
 WHERE state IN ('ACTIVE', 'SUSPENDED') AND ends_at <= %(now)s AND contract_sid > %(after)s
 ORDER BY contract_sid
 LIMIT %(limit)s

-- name: add_document
INSERT INTO contract_documents (contract_sid, document_sid, title, uri, sha256, created_at)
VALUES (%(contract_sid)s, %(document_sid)s, %(title)s, %(uri)s, %(sha256)s, %(now)s)

-- name: list_documents
SELECT document_sid, title, uri, sha256, created_at
  FROM contract_documents
 WHERE contract_sid = %(contract_sid)s
 ORDER BY document_sid
 LIMIT 1000

-- name: set_override
INSERT INTO contract_price_overrides (contract_sid, plan_sid, pricing)
VALUES (%(contract_sid)s, %(plan_sid)s, %(pricing)s)
ON DUPLICATE KEY UPDATE pricing = VALUES(pricing)

-- name: remove_override
DELETE FROM contract_price_overrides WHERE contract_sid = %(contract_sid)s AND plan_sid = %(plan_sid)s

-- name: list_overrides
SELECT plan_sid, pricing FROM contract_price_overrides
 WHERE contract_sid = %(contract_sid)s
 ORDER BY plan_sid
 LIMIT 1000

-- name: add_plan
INSERT INTO plans (plan_sid, plan_code, name, product_id, state, latest_version, created_at)
VALUES (%(plan_sid)s, %(plan_code)s, %(name)s, %(product_id)s, 'ACTIVE', 1, %(now)s)

-- name: add_plan_version
INSERT INTO plan_versions (plan_sid, version, currency, billing_every, interval_count, usage_type, meter, pricing, created_at)
VALUES (%(plan_sid)s, %(version)s, %(currency)s, %(every)s, %(interval_count)s, %(usage_type)s, %(meter)s, %(pricing)s, %(now)s)

-- name: change_plan
UPDATE plans SET name = %(name)s, state = %(state)s, latest_version = %(latest_version)s WHERE plan_sid = %(plan_sid)s

-- name: lock_plan
SELECT plan_sid, plan_code, name, product_id, state, latest_version, created_at
  FROM plans
 WHERE plan_sid = %(plan_sid)s
   FOR UPDATE

-- name: find_plan
SELECT plan_sid, plan_code, name, product_id, state, latest_version, created_at FROM plans WHERE plan_sid = %(plan_sid)s

-- name: list_plans
SELECT plan_sid, plan_code, name, product_id, state, latest_version, created_at
  FROM plans
 WHERE plan_sid > %(after)s
   AND (%(state)s IS NULL OR state = %(state)s)
   AND (%(product_id)s IS NULL OR product_id = %(product_id)s)
 ORDER BY plan_sid
 LIMIT %(limit)s

-- name: list_plan_versions
SELECT plan_sid, version, currency, billing_every AS `every`, interval_count, usage_type, meter, pricing, created_at
  FROM plan_versions
 WHERE (plan_sid, version) IN %(plan_keys)s

-- name: add_subscription
INSERT INTO contract_subscriptions (subscription_sid, customer_sid, contract_sid, domain_sid, product_id, plan_sid,
       plan_version, quantity, state, paused_by, pause_policy, time_zone, period_start, period_end, cancels_at_end, changes,
       last_change_at, bills, next_billing_at, created_at)
VALUES (%(subscription_sid)s, %(customer_sid)s, %(contract_sid)s, %(domain_sid)s, %(product_id)s, %(plan_sid)s,
       %(plan_version)s, %(quantity)s, 'ACTIVE', NULL, %(pause_policy)s, %(time_zone)s, %(period_start)s, %(period_end)s, 0, 1,
       %(now)s, 0, %(now)s, %(now)s)

-- name: set_subscription
UPDATE contract_subscriptions
   SET product_id = %(product_id)s, plan_sid = %(plan_sid)s, plan_version = %(plan_version)s, quantity = %(quantity)s,
       state = %(state)s, paused_by = %(paused_by)s, period_start = %(period_start)s, period_end = %(period_end)s,
       cancels_at_end = %(cancels_at_end)s, changes = %(changes)s, last_change_at = %(last_change_at)s, bills = %(bills)s,
       last_billed_at = %(last_billed_at)s, next_billing_at = %(next_billing_at)s, ended_at = %(ended_at)s
 WHERE subscription_sid = %(subscription_sid)s

-- name: add_change
INSERT INTO contract_subscription_changes (subscription_sid, change_no, kind, happened_at, terms, ends_on, by_contract,
       credits_unused, created_at)
VALUES (%(subscription_sid)s, %(change_no)s, %(kind)s, %(happened_at)s, %(terms)s, %(ends_on)s, %(by_contract)s,
       %(credits_unused)s, %(now)s)

-- name: list_changes
SELECT change_no, kind, happened_at, terms, ends_on, by_contract, credits_unused
  FROM contract_subscription_changes
 WHERE subscription_sid = %(subscription_sid)s
 ORDER BY change_no

-- name: find_subscription
SELECT subscription_sid, customer_sid, contract_sid, domain_sid, product_id, plan_sid, plan_version, quantity, state,
       paused_by, pause_policy, time_zone, period_start, period_end, cancels_at_end, changes, last_change_at, bills,
       last_billed_at, next_billing_at, ended_at, created_at
  FROM contract_subscriptions
 WHERE subscription_sid = %(subscription_sid)s AND (%(customer_sid)s IS NULL OR customer_sid = %(customer_sid)s)

-- name: lock_subscription
SELECT subscription_sid, customer_sid, contract_sid, domain_sid, product_id, plan_sid, plan_version, quantity, state,
       paused_by, pause_policy, time_zone, period_start, period_end, cancels_at_end, changes, last_change_at, bills,
       last_billed_at, next_billing_at, ended_at, created_at
  FROM contract_subscriptions
 WHERE subscription_sid = %(subscription_sid)s
   FOR UPDATE

-- name: list_subscriptions
SELECT subscription_sid, customer_sid, contract_sid, domain_sid, product_id, plan_sid, plan_version, quantity, state,
       paused_by, pause_policy, time_zone, period_start, period_end, cancels_at_end, changes, last_change_at, bills,
       last_billed_at, next_billing_at, ended_at, created_at
  FROM contract_subscriptions
 WHERE (%(customer_sid)s IS NULL OR customer_sid = %(customer_sid)s)
   AND (%(contract_sid)s IS NULL OR contract_sid = %(contract_sid)s)
   AND (%(state)s IS NULL OR state = %(state)s)
   AND subscription_sid > %(after)s
 ORDER BY subscription_sid
 LIMIT %(limit)s

-- name: list_due_subscriptions
-- In the order in which they fall due; a page goes on behind the last one that was seen.
SELECT subscription_sid, contract_sid, next_billing_at
  FROM contract_subscriptions
 WHERE next_billing_at <= %(as_of)s AND (next_billing_at, subscription_sid) > (%(after_at)s, %(after_sid)s)
 ORDER BY next_billing_at, subscription_sid
 LIMIT %(limit)s

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

-- name: list_debts
-- What dunning looks at: the invoices of a subscription that are owed, or were given up.
SELECT invoice_sid, state, total_minor, credited_minor, issued_at, due_at
  FROM contract_invoices
 WHERE subscription_sid = %(subscription_sid)s AND document_kind = 'INVOICE' AND state IN ('OPEN', 'UNCOLLECTIBLE')
 ORDER BY due_at, invoice_sid
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
