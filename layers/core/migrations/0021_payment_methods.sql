-- What a customer pays with, as far as they need it to recognize it: of a card the brand, the last four digits and the expiry,
-- and nothing else. One that was detached belongs to nobody at Stripe any more; the row says whose it was.

CREATE TABLE payment_methods (
  payment_method_id  VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  customer_sid       VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  stripe_customer_id VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  method_type        VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  card_brand         VARCHAR(32) NULL,
  card_last4         CHAR(4) CHARACTER SET ascii COLLATE ascii_bin NULL,
  card_exp_month     INT NULL,
  card_exp_year      INT NULL,
  created_at         DATETIME(6) NOT NULL,
  observed_at        DATETIME(6) NOT NULL,
  observed_by        VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  updated_at         DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (payment_method_id),
  KEY ix_payment_methods_owner (customer_sid, payment_method_id),
  CONSTRAINT fk_payment_methods_customer FOREIGN KEY (customer_sid) REFERENCES customers (customer_sid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
