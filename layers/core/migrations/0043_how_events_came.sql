-- How an entry came into the inbox, and what its delivery said besides its body. NULL is an entry from before.

ALTER TABLE stripe_events
  ADD COLUMN source  VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN headers TEXT NULL,
  ADD CONSTRAINT ck_stripe_events_source CHECK (source IN ('WEBHOOK', 'LISTED', 'OBSERVED')),
  ADD CONSTRAINT ck_stripe_events_headers CHECK (headers IS NULL OR (source IS NOT NULL AND source = 'WEBHOOK'));
