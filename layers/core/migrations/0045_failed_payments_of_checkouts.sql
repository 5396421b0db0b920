-- A bank may refuse, days later, what was promised on Stripe's page. Nothing in the session says so but the event of it, so
-- the row keeps when it was told. NULL: nothing has failed.

ALTER TABLE checkout_sessions ADD COLUMN payment_failed_at DATETIME(6) NULL;
