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

-- name: list_debts
-- What dunning looks at: the invoices of a subscription that are owed, or were given up.
SELECT invoice_sid, state, total_minor, credited_minor, issued_at, due_at
  FROM contract_invoices
 WHERE subscription_sid = %(subscription_sid)s AND document_kind = 'INVOICE' AND state IN ('OPEN', 'UNCOLLECTIBLE')
 ORDER BY due_at, invoice_sid
 LIMIT 1000
