-- For when the attempt after an invoice's first failure was planned, and when a later attempt failed too: the invoice's own
-- plan moves on with every attempt, and a grace must not. NULL in rows of before: the next fold of the invoice says it.

ALTER TABLE invoices
  ADD COLUMN first_retry_at  DATETIME(6) NULL,
  ADD COLUMN failed_again_at DATETIME(6) NULL;
