-- name: add_customer
INSERT INTO customers (customer_sid, kind, name, billing_email, created_at)
VALUES (%(customer_sid)s, %(kind)s, %(name)s, %(billing_email)s, %(now)s)

-- name: add_member
INSERT INTO customer_members (customer_sid, user_sid, member_role, created_at)
VALUES (%(customer_sid)s, %(user_sid)s, %(member_role)s, %(now)s)

-- name: find_customer
SELECT customer_sid, kind, name, billing_email, stripe_customer_id, created_at
  FROM customers
 WHERE customer_sid = %(customer_sid)s

-- name: find_customer_of_member
-- A foreign customer is absent here, not forbidden.
SELECT c.customer_sid, c.kind, c.name, c.billing_email, c.stripe_customer_id, c.created_at
  FROM customers c
  JOIN customer_members m ON m.customer_sid = c.customer_sid
 WHERE c.customer_sid = %(customer_sid)s AND m.user_sid = %(user_sid)s

-- name: find_by_stripe_customer
SELECT customer_sid, kind, name, billing_email, stripe_customer_id, created_at
  FROM customers
 WHERE stripe_customer_id = %(stripe_customer_id)s

-- name: list_owned
SELECT c.customer_sid, c.kind, c.name, c.billing_email, c.stripe_customer_id, c.created_at
  FROM customer_members m
  JOIN customers c ON c.customer_sid = m.customer_sid
 WHERE m.user_sid = %(user_sid)s AND m.member_role = 'OWNER'
 ORDER BY c.customer_sid

-- name: list_customers_of_user
SELECT customer_sid FROM customer_members WHERE user_sid = %(user_sid)s ORDER BY customer_sid

-- name: rename_owned
UPDATE customers
   SET name = %(name)s
 WHERE customer_sid IN (SELECT customer_sid FROM customer_members WHERE user_sid = %(user_sid)s AND member_role = 'OWNER')

-- name: attach_stripe_customer
-- Once set it never moves: subscriptions and invoices are found by it.
UPDATE customers
   SET stripe_customer_id = %(stripe_customer_id)s
 WHERE customer_sid = %(customer_sid)s AND stripe_customer_id IS NULL
