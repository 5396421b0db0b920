-- When a subscription ends by itself. A customer who cancels on Stripe's pages may be told of by this alone: there,
-- `cancel_at_period_end` stays false. NULL: it goes on, or nothing was told since this column is there.

ALTER TABLE subscriptions ADD COLUMN cancel_at DATETIME(6) NULL;
