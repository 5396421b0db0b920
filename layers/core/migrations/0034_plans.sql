-- What contracts sell. A version of a plan never changes: whoever wants another price makes the next version.

CREATE TABLE plans (
  plan_sid       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  plan_code      VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name           VARCHAR(200) NOT NULL,
  product_id     VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  latest_version INT NOT NULL,
  created_at     DATETIME(6) NOT NULL,
  updated_at     DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (plan_sid),
  UNIQUE KEY uq_plans_code (plan_code),
  CONSTRAINT fk_plans_product FOREIGN KEY (product_id) REFERENCES products (product_id),
  CONSTRAINT ck_plans_state CHECK (state IN ('ACTIVE', 'ARCHIVED')),
  CONSTRAINT ck_plans_version CHECK (latest_version >= 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- pricing is canonical JSON: the scheme, its amounts in minor units as exact text, and its tiers.
CREATE TABLE plan_versions (
  plan_sid       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  version        INT NOT NULL,
  currency       CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  billing_every  VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  interval_count INT NOT NULL,
  usage_type     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  meter          VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  pricing        TEXT NOT NULL,
  created_at     DATETIME(6) NOT NULL,
  PRIMARY KEY (plan_sid, version),
  CONSTRAINT fk_plan_versions_plan FOREIGN KEY (plan_sid) REFERENCES plans (plan_sid),
  CONSTRAINT ck_plan_versions_every CHECK (billing_every IN ('MONTH', 'YEAR') AND interval_count BETWEEN 1 AND 12),
  CONSTRAINT ck_plan_versions_usage CHECK (usage_type IN ('LICENSED', 'METERED')
    AND (usage_type = 'METERED') = (meter IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TRIGGER plan_versions_no_update BEFORE UPDATE ON plan_versions
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'plan_versions is append-only';

CREATE TRIGGER plan_versions_no_delete BEFORE DELETE ON plan_versions
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'plan_versions is append-only';
