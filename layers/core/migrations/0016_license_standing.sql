-- Why a license stands where it does, and when that could change by the mere passing of time (a grace or a term ends).
-- Both are derived from the mirror and can be derived again at any time.

ALTER TABLE licenses
  ADD COLUMN causes    TEXT NULL,
  ADD COLUMN review_at DATETIME(6) NULL,
  ADD KEY ix_licenses_review (review_at);
