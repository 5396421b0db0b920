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
