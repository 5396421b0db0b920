-- The inbox. What Stripe sent is kept as it came and never changes; what we did with it stands in another row, so that
-- a second delivery never waits for a worker's lock.

CREATE TABLE stripe_events (
  event_id    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  event_type  VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  object_id   VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at  DATETIME(6) NOT NULL,
  api_version VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  livemode    TINYINT NOT NULL,
  account_id  VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  body        MEDIUMBLOB NOT NULL,
  received_at DATETIME(6) NOT NULL,
  PRIMARY KEY (event_id),
  KEY ix_stripe_events_object (object_id, created_at),
  CONSTRAINT ck_stripe_events_livemode CHECK (livemode IN (0, 1))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TRIGGER stripe_events_no_update BEFORE UPDATE ON stripe_events
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'stripe_events is append-only';

CREATE TRIGGER stripe_events_no_delete BEFORE DELETE ON stripe_events
  FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'stripe_events is append-only';

CREATE TABLE stripe_event_work (
  event_id    VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  state       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason      VARCHAR(500) NULL,
  waiting_for VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
  attempts    INT NOT NULL DEFAULT 0,
  due_at      DATETIME(6) NOT NULL,
  created_at  DATETIME(6) NOT NULL,
  updated_at  DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (event_id),
  KEY ix_stripe_event_work_due (state, due_at),
  KEY ix_stripe_event_work_waiting (waiting_for),
  CONSTRAINT fk_stripe_event_work_event FOREIGN KEY (event_id) REFERENCES stripe_events (event_id),
  CONSTRAINT ck_stripe_event_work_state CHECK (state IN ('RECEIVED', 'PROCESSED', 'IGNORED', 'PARKED', 'DEAD')),
  CONSTRAINT ck_stripe_event_work_reason CHECK ((state NOT IN ('IGNORED', 'DEAD') OR reason IS NOT NULL)
    AND (state = 'PARKED') = (waiting_for IS NOT NULL))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
