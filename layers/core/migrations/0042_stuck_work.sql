-- A fourth look: events that are stored and that no worker has come to.

ALTER TABLE reconciliation_runs DROP CONSTRAINT ck_reconciliation_runs_kind;

ALTER TABLE reconciliation_runs
  ADD CONSTRAINT ck_reconciliation_runs_kinds CHECK (kind IN ('event-gap', 'object-sweep', 'license-sweep', 'stuck-work'));

ALTER TABLE reconciliation_progress DROP CONSTRAINT ck_reconciliation_progress_kind;

ALTER TABLE reconciliation_progress
  ADD CONSTRAINT ck_reconciliation_progress_kinds CHECK (kind IN ('event-gap', 'object-sweep', 'license-sweep', 'stuck-work'));

ALTER TABLE reconciliation_drift DROP CONSTRAINT ck_reconciliation_drift_kind;

ALTER TABLE reconciliation_drift
  ADD CONSTRAINT ck_reconciliation_drift_kinds CHECK (kind IN ('event-gap', 'object-sweep', 'license-sweep', 'stuck-work'));
