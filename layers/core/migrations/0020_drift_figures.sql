-- What is open and what was found lately is counted every minute.

ALTER TABLE reconciliation_drift
  ADD KEY ix_reconciliation_drift_found (found_at),
  ADD KEY ix_reconciliation_drift_healed (healed_at);
