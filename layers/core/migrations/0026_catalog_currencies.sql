-- What a price costs in its other currencies. Unlike tiers these may be added to, so the newest observation of all of
-- them replaces the rows; NULL until Stripe was asked, because events leave them out.

ALTER TABLE prices ADD COLUMN options_observed_at DATETIME(6) NULL;

CREATE TABLE price_options (
  price_id    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency    CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  unit_amount DECIMAL(30, 12) NULL,
  updated_at  DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (price_id, currency),
  CONSTRAINT fk_price_options_price FOREIGN KEY (price_id) REFERENCES prices (price_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE price_option_tiers (
  price_id    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency    CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position    INT NOT NULL,
  up_to       BIGINT NULL,
  unit_amount DECIMAL(30, 12) NULL,
  flat_amount DECIMAL(30, 12) NULL,
  updated_at  DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (price_id, currency, position),
  CONSTRAINT fk_price_option_tiers_option FOREIGN KEY (price_id, currency) REFERENCES price_options (price_id, currency),
  CONSTRAINT ck_price_option_tiers_amount CHECK (unit_amount IS NOT NULL OR flat_amount IS NOT NULL)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
