-- Looking at an event that waits is no failure: folds that failed are counted by themselves. And an event that was ignored
-- because of another object, such as a price of a product that was not ours, is reconsidered when that object says otherwise.

ALTER TABLE stripe_event_work
  ADD COLUMN failures      INT NOT NULL DEFAULT 0,
  ADD COLUMN reconsider_on VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD KEY ix_stripe_event_work_listed (state, created_at, event_id),
  ADD KEY ix_stripe_event_work_created (created_at, event_id),
  ADD KEY ix_stripe_event_work_reconsider (reconsider_on),
  ADD CONSTRAINT ck_stripe_event_work_reconsider CHECK (reconsider_on IS NULL OR state = 'IGNORED');
