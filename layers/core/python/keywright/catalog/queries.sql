-- name: find_product
SELECT product_id, name, description, active, product_family, fee_structure, usage_based, air_gapped, metadata, created_at
  FROM products
 WHERE product_id = %(product_id)s

-- name: list_products
-- A page of the products on sale or not; NULL means: do not filter by it.
SELECT product_id, name, description, active, product_family, fee_structure, usage_based, air_gapped, metadata, created_at
  FROM products
 WHERE active = 1 AND product_id > %(after)s
   AND (%(product_family)s IS NULL OR product_family = %(product_family)s)
   AND (%(fee_structure)s IS NULL OR fee_structure = %(fee_structure)s)
   AND (%(usage_based)s IS NULL OR usage_based = %(usage_based)s)
   AND (%(air_gapped)s IS NULL OR air_gapped = %(air_gapped)s)
 ORDER BY product_id
 LIMIT %(limit)s

-- name: save_product
INSERT INTO products (product_id, name, description, active, product_family, fee_structure, usage_based, air_gapped,
       metadata, created_at, observed_at, observed_by)
VALUES (%(product_id)s, %(name)s, %(description)s, %(active)s, %(product_family)s, %(fee_structure)s, %(usage_based)s,
       %(air_gapped)s, %(metadata)s, %(created_at)s, %(observed_at)s, %(observed_by)s)
ON DUPLICATE KEY UPDATE name = VALUES(name), description = VALUES(description), active = VALUES(active),
       product_family = VALUES(product_family), fee_structure = VALUES(fee_structure), usage_based = VALUES(usage_based),
       air_gapped = VALUES(air_gapped), metadata = VALUES(metadata), created_at = VALUES(created_at),
       observed_at = VALUES(observed_at), observed_by = VALUES(observed_by)

-- name: find_price
SELECT price_id, product_id, active, currency, kind, recurring_interval, interval_count, usage_type, billing_scheme,
       tiers_mode, unit_amount, transform_divide_by, transform_round, created_at, options_observed_at
  FROM prices
 WHERE price_id = %(price_id)s

-- name: list_prices
SELECT price_id, product_id, active, currency, kind, recurring_interval, interval_count, usage_type, billing_scheme,
       tiers_mode, unit_amount, transform_divide_by, transform_round, created_at, options_observed_at
  FROM prices
 WHERE product_id IN %(product_ids)s AND active = 1
 ORDER BY product_id, price_id

-- name: list_tiers
SELECT price_id, up_to, unit_amount, flat_amount FROM price_tiers WHERE price_id IN %(price_ids)s ORDER BY price_id, position

-- name: save_price
-- Amounts and tiers of a Stripe price never change; only whether it is active does. If they are others here, they are wrong.
INSERT INTO prices (price_id, product_id, active, currency, kind, recurring_interval, interval_count, usage_type,
       billing_scheme, tiers_mode, unit_amount, transform_divide_by, transform_round, created_at, observed_at, observed_by)
VALUES (%(price_id)s, %(product_id)s, %(active)s, %(currency)s, %(kind)s, %(interval)s, %(interval_count)s, %(usage_type)s,
       %(billing_scheme)s, %(tiers_mode)s, %(unit_amount)s, %(transform_divide_by)s, %(transform_round)s, %(created_at)s,
       %(observed_at)s, %(observed_by)s)
ON DUPLICATE KEY UPDATE product_id = VALUES(product_id), active = VALUES(active), currency = VALUES(currency),
       kind = VALUES(kind), recurring_interval = VALUES(recurring_interval), interval_count = VALUES(interval_count),
       usage_type = VALUES(usage_type), billing_scheme = VALUES(billing_scheme), tiers_mode = VALUES(tiers_mode),
       unit_amount = VALUES(unit_amount), transform_divide_by = VALUES(transform_divide_by),
       transform_round = VALUES(transform_round), created_at = VALUES(created_at), observed_at = VALUES(observed_at),
       observed_by = VALUES(observed_by)

-- name: save_tier
INSERT INTO price_tiers (price_id, position, up_to, unit_amount, flat_amount)
VALUES (%(price_id)s, %(position)s, %(up_to)s, %(unit_amount)s, %(flat_amount)s)
ON DUPLICATE KEY UPDATE up_to = VALUES(up_to), unit_amount = VALUES(unit_amount), flat_amount = VALUES(flat_amount)

-- name: remove_tiers
DELETE FROM price_tiers WHERE price_id = %(price_id)s AND position >= %(count)s

-- name: list_options
SELECT price_id, currency, unit_amount FROM price_options WHERE price_id IN %(price_ids)s ORDER BY price_id, currency

-- name: list_option_tiers
SELECT price_id, currency, up_to, unit_amount, flat_amount
  FROM price_option_tiers
 WHERE price_id IN %(price_ids)s
 ORDER BY price_id, currency, position

-- name: mark_options
UPDATE prices SET options_observed_at = %(observed_at)s WHERE price_id = %(price_id)s

-- name: remove_option_tiers
DELETE FROM price_option_tiers WHERE price_id = %(price_id)s

-- name: remove_options
DELETE FROM price_options WHERE price_id = %(price_id)s

-- name: add_option
INSERT INTO price_options (price_id, currency, unit_amount) VALUES (%(price_id)s, %(currency)s, %(unit_amount)s)

-- name: add_option_tier
INSERT INTO price_option_tiers (price_id, currency, position, up_to, unit_amount, flat_amount)
VALUES (%(price_id)s, %(currency)s, %(position)s, %(up_to)s, %(unit_amount)s, %(flat_amount)s)
