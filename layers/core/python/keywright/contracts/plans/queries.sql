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
