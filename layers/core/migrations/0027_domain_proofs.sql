-- Domains are proven by DNS, lose their proof, change hands, and are given up. A domain that was given up stays as a row,
-- because checkouts, subscriptions and licenses of the past refer to it; its name is free.

ALTER TABLE domains DROP CONSTRAINT ck_domains_state;

ALTER TABLE domains
  ADD COLUMN last_checked_at DATETIME(6) NULL,
  ADD COLUMN last_check      TEXT NULL,
  ADD COLUMN failed_checks   INT NOT NULL DEFAULT 0,
  ADD COLUMN next_check_at   DATETIME(6) NULL,
  ADD COLUMN live_name       VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin
    GENERATED ALWAYS AS (CASE WHEN state <> 'DELETED' THEN domain_name END) STORED,
  ADD CONSTRAINT ck_domains_states CHECK (state IN ('PENDING', 'VERIFIED', 'STALE', 'DELETED')),
  ADD CONSTRAINT ck_domains_checks CHECK (failed_checks >= 0),
  ADD KEY ix_domains_check (next_check_at);

-- The key keeps its name: code that is still running asks for it.
ALTER TABLE domains
  ADD UNIQUE KEY uq_domains_live_name (customer_sid, live_name);

ALTER TABLE domains
  DROP INDEX uq_domains_name;

ALTER TABLE domains
  ADD UNIQUE KEY uq_domains_name (customer_sid, live_name);

ALTER TABLE domains
  DROP INDEX uq_domains_live_name;
