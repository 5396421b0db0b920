-- name: add_customer
INSERT INTO customers (customer_sid, kind, name, billing_email, created_at)
VALUES (%(customer_sid)s, %(kind)s, %(name)s, %(billing_email)s, %(now)s)

-- name: add_member
-- Whoever has left and comes back takes up the old membership, which their earlier sessions refer to.
INSERT INTO customer_members (customer_sid, user_sid, member_role, created_at)
VALUES (%(customer_sid)s, %(user_sid)s, %(member_role)s, %(now)s)
ON DUPLICATE KEY UPDATE member_role = VALUES(member_role), removed_at = NULL

-- name: find_membership
SELECT customer_sid, user_sid, member_role, created_at
  FROM customer_members
 WHERE customer_sid = %(customer_sid)s AND user_sid = %(user_sid)s AND removed_at IS NULL

-- name: lock_memberships_of_user
-- Held while a session is opened, so that nobody is removed between the look and the login.
SELECT customer_sid
  FROM customer_members
 WHERE user_sid = %(user_sid)s AND removed_at IS NULL
 ORDER BY customer_sid
   FOR UPDATE

-- name: lock_members
-- All of them, so that two owners cannot remove each other at the same moment.
SELECT customer_sid, user_sid, member_role, created_at
  FROM customer_members
 WHERE customer_sid = %(customer_sid)s AND removed_at IS NULL
 ORDER BY user_sid
   FOR UPDATE

-- name: list_members
SELECT customer_sid, user_sid, member_role, created_at
  FROM customer_members
 WHERE customer_sid = %(customer_sid)s AND user_sid > %(after)s AND removed_at IS NULL
 ORDER BY user_sid
 LIMIT %(limit)s

-- name: set_member_role
UPDATE customer_members
   SET member_role = %(member_role)s
 WHERE customer_sid = %(customer_sid)s AND user_sid = %(user_sid)s AND removed_at IS NULL

-- name: remove_member
UPDATE customer_members
   SET removed_at = %(now)s
 WHERE customer_sid = %(customer_sid)s AND user_sid = %(user_sid)s AND removed_at IS NULL

-- name: list_own
SELECT c.customer_sid, c.kind, c.name, m.member_role
  FROM customer_members m
  JOIN customers c ON c.customer_sid = m.customer_sid
 WHERE m.user_sid = %(user_sid)s AND m.removed_at IS NULL
 ORDER BY c.customer_sid

-- name: change_customer
UPDATE customers
   SET kind = COALESCE(%(kind)s, kind), name = COALESCE(%(name)s, name),
       billing_email = COALESCE(%(billing_email)s, billing_email)
 WHERE customer_sid = %(customer_sid)s

-- name: add_invitation
INSERT INTO invitations (invitation_sid, customer_sid, email, member_role, invited_by, state, created_at, expires_at)
VALUES (%(invitation_sid)s, %(customer_sid)s, %(email)s, %(member_role)s, %(invited_by)s, 'OPEN', %(now)s, %(expires_at)s)

-- name: withdraw_invitations_to
-- A newer invitation takes the place of an older one.
UPDATE invitations SET state = 'WITHDRAWN' WHERE customer_sid = %(customer_sid)s AND email = %(email)s AND state = 'OPEN'

-- name: withdraw_invitation
UPDATE invitations
   SET state = 'WITHDRAWN'
 WHERE customer_sid = %(customer_sid)s AND invitation_sid = %(invitation_sid)s AND state = 'OPEN'

-- name: list_invitations
SELECT invitation_sid, customer_sid, email, member_role, state, created_at, expires_at
  FROM invitations
 WHERE customer_sid = %(customer_sid)s AND invitation_sid > %(after)s AND state = 'OPEN' AND expires_at > %(now)s
 ORDER BY invitation_sid
 LIMIT %(limit)s

-- name: lock_invitation
SELECT invitation_sid, customer_sid, email, member_role, state, created_at, expires_at
  FROM invitations
 WHERE invitation_sid = %(invitation_sid)s
   FOR UPDATE

-- name: lock_invitation_by_token
SELECT invitation_sid, customer_sid, email, member_role, state, created_at, expires_at
  FROM invitations
 WHERE token_hash = %(token_hash)s
   FOR UPDATE

-- name: set_invitation_token
UPDATE invitations SET token_hash = %(token_hash)s WHERE invitation_sid = %(invitation_sid)s

-- name: accept_invitation
UPDATE invitations SET state = 'ACCEPTED', accepted_by = %(user_sid)s WHERE invitation_sid = %(invitation_sid)s

-- name: find_customer
SELECT customer_sid, kind, name, billing_email, stripe_customer_id, created_at
  FROM customers
 WHERE customer_sid = %(customer_sid)s

-- name: find_customer_of_member
-- A foreign customer is absent here, not forbidden.
SELECT c.customer_sid, c.kind, c.name, c.billing_email, c.stripe_customer_id, c.created_at
  FROM customers c
  JOIN customer_members m ON m.customer_sid = c.customer_sid
 WHERE c.customer_sid = %(customer_sid)s AND m.user_sid = %(user_sid)s AND m.removed_at IS NULL

-- name: find_by_stripe_customer
SELECT customer_sid, kind, name, billing_email, stripe_customer_id, created_at
  FROM customers
 WHERE stripe_customer_id = %(stripe_customer_id)s

-- name: list_owned
SELECT c.customer_sid, c.kind, c.name, c.billing_email, c.stripe_customer_id, c.created_at
  FROM customer_members m
  JOIN customers c ON c.customer_sid = m.customer_sid
 WHERE m.user_sid = %(user_sid)s AND m.member_role = 'OWNER' AND m.removed_at IS NULL
 ORDER BY c.customer_sid

-- name: rename_owned
UPDATE customers
   SET name = %(name)s
 WHERE customer_sid IN (SELECT customer_sid FROM customer_members WHERE user_sid = %(user_sid)s AND member_role = 'OWNER')

-- name: attach_stripe_customer
-- Once set it never moves: subscriptions and invoices are found by it.
UPDATE customers
   SET stripe_customer_id = %(stripe_customer_id)s
 WHERE customer_sid = %(customer_sid)s AND stripe_customer_id IS NULL
