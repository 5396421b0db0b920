-- Which usage a line bills, and as it stood when: what was stored at usage_cut or later is late, and billed by another
-- line of the same span. Lines from before, and those that bill no usage, have none.

ALTER TABLE contract_invoice_lines
  ADD COLUMN used_from  DATETIME(6) NULL,
  ADD COLUMN used_until DATETIME(6) NULL,
  ADD COLUMN usage_cut  DATETIME(6) NULL,
  ADD CONSTRAINT ck_contract_invoice_lines_usage CHECK ((used_from IS NULL) = (used_until IS NULL)
    AND (used_from IS NULL) = (usage_cut IS NULL) AND (used_from IS NULL OR used_until >= used_from));
