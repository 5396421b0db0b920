-- name: add_entry
INSERT INTO audit_log (created_at, actor_kind, actor_sid, action, subject_sid, old_value, new_value, correlation_id)
VALUES (%(now)s, %(actor_kind)s, %(actor_sid)s, %(action)s, %(subject)s, %(old)s, %(new)s, %(correlation_id)s)

-- name: list_entries
-- Newest first. A filter that is NULL asks for nothing.
SELECT audit_id, created_at, actor_kind, actor_sid, action, subject_sid, old_value, new_value, correlation_id
  FROM audit_log
 WHERE (%(before)s IS NULL OR audit_id < %(before)s)
   AND (%(action)s IS NULL OR action = %(action)s)
   AND (%(actor_sid)s IS NULL OR actor_sid = %(actor_sid)s)
   AND (%(subject_sid)s IS NULL OR subject_sid = %(subject_sid)s)
   AND (%(begins)s IS NULL OR created_at >= %(begins)s)
   AND (%(ends)s IS NULL OR created_at < %(ends)s)
 ORDER BY audit_id DESC
 LIMIT %(limit)s

-- name: open_sealing
INSERT INTO audit_sealing (one) VALUES (1) ON DUPLICATE KEY UPDATE one = 1

-- name: lock_sealing
-- One sealer at a time. Those who write entries never ask for this row.
SELECT one FROM audit_sealing WHERE one = 1 FOR UPDATE

-- name: find_last_seal
SELECT seal_no, audit_id, kid, chain_hash FROM audit_seals ORDER BY seal_no DESC LIMIT 1

-- name: list_unsealed
-- Ids are drawn before transactions commit, so an entry may appear below one that is sealed already. Looking back as
-- far as an hour's transactions could have drawn them finds it; the whole look-up runs on the two primary keys.
SELECT l.audit_id, l.created_at, l.actor_kind, l.actor_sid, l.action, l.subject_sid, l.old_value, l.new_value,
       l.correlation_id
  FROM audit_log l
  LEFT JOIN audit_seals s ON s.audit_id = l.audit_id
 WHERE l.audit_id > %(after)s AND s.audit_id IS NULL
 ORDER BY l.audit_id
 LIMIT %(limit)s

-- name: add_seal
INSERT INTO audit_seals (seal_no, audit_id, kid, chain_hash, sealed_at)
VALUES (%(seal_no)s, %(audit_id)s, %(kid)s, %(chain_hash)s, %(now)s)

-- name: add_head
INSERT INTO audit_heads (seal_no, chain_hash, anchored_at)
VALUES (%(seal_no)s, %(chain_hash)s, %(now)s)

-- name: list_heads
SELECT seal_no, chain_hash FROM audit_heads WHERE seal_no > %(after)s ORDER BY seal_no LIMIT %(limit)s

-- name: find_last_head
SELECT seal_no, chain_hash FROM audit_heads ORDER BY seal_no DESC LIMIT 1

-- name: list_sealed
-- The seals with the entries that they cover, or with nothing where the entry is gone.
SELECT s.seal_no, s.audit_id AS sealed_id, s.kid, s.chain_hash,
       l.audit_id, l.created_at, l.actor_kind, l.actor_sid, l.action, l.subject_sid, l.old_value, l.new_value,
       l.correlation_id
  FROM audit_seals s
  LEFT JOIN audit_log l ON l.audit_id = s.audit_id
 WHERE s.seal_no > %(after)s
 ORDER BY s.seal_no
 LIMIT %(limit)s

-- name: count_unsealed
SELECT COUNT(*) AS unsealed
  FROM audit_log l
  LEFT JOIN audit_seals s ON s.audit_id = l.audit_id
 WHERE s.audit_id IS NULL
