-- The id of the request that made a checkout goes with the checkout, with Stripe's objects, and comes back with their
-- events. NULL where nobody said it: rows from before, and events of objects that are no purchase of ours.

ALTER TABLE checkout_sessions
  ADD COLUMN correlation_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD KEY ix_checkout_sessions_correlation (correlation_id);

ALTER TABLE stripe_event_work
  ADD COLUMN correlation_id VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD KEY ix_stripe_event_work_correlation (correlation_id);
