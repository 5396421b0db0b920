-- Products and prices as Stripe has them. observed_at is the moment of the observation that set the row.

CREATE TABLE products (
  product_id     VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  name           VARCHAR(500) NOT NULL,
  description    TEXT NULL,
  active         TINYINT NOT NULL,
  product_family VARCHAR(200) NULL,
  fee_structure  VARCHAR(200) NULL,
  usage_based    VARCHAR(200) NULL,
  air_gapped     VARCHAR(200) NULL,
  metadata       TEXT NOT NULL,
  created_at     DATETIME(6) NOT NULL,
  observed_at    DATETIME(6) NOT NULL,
  updated_at     DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (product_id),
  KEY ix_products_family (product_family, product_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- No foreign key to products: a price may be observed before its product.
CREATE TABLE prices (
  price_id            VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  product_id          VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  active              TINYINT NOT NULL,
  currency            CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind                VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  recurring_interval  VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
  interval_count      INT NULL,
  usage_type          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
  billing_scheme      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  tiers_mode          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL,
  unit_amount         DECIMAL(30, 12) NULL,
  transform_divide_by BIGINT NULL,
  transform_round     VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NULL,
  created_at          DATETIME(6) NOT NULL,
  observed_at         DATETIME(6) NOT NULL,
  updated_at          DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (price_id),
  KEY ix_prices_product (product_id),
  CONSTRAINT ck_prices_kind CHECK (kind IN ('recurring', 'one_time')
    AND (kind = 'recurring') = (recurring_interval IS NOT NULL AND interval_count IS NOT NULL)),
  CONSTRAINT ck_prices_transform CHECK ((transform_divide_by IS NULL) = (transform_round IS NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- up_to NULL is the last tier, without end. Amounts are in minor units, with Stripe's twelve decimals.
CREATE TABLE price_tiers (
  price_id    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  position    INT NOT NULL,
  up_to       BIGINT NULL,
  unit_amount DECIMAL(30, 12) NULL,
  flat_amount DECIMAL(30, 12) NULL,
  PRIMARY KEY (price_id, position),
  CONSTRAINT fk_price_tiers_price FOREIGN KEY (price_id) REFERENCES prices (price_id),
  CONSTRAINT ck_price_tiers_amount CHECK (unit_amount IS NOT NULL OR flat_amount IS NOT NULL)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
