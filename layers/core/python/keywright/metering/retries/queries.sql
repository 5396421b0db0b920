-- name: list_refused
-- What may be told again, without a lock.
SELECT identifier
  FROM usage_revisions
 WHERE state = 'REJECTED' AND bill_sid IS NULL AND code NOT IN %(final)s
   AND (%(license_sid)s IS NULL OR license_sid = %(license_sid)s)
   AND (%(meter)s IS NULL OR meter = %(meter)s)
   AND (%(code)s IS NULL OR code = %(code)s)
 ORDER BY sealed_at, identifier
 LIMIT %(limit)s

-- name: lock_refused
-- Those that are still refused, held until commit: of two who take them up, each gets what the other left.
SELECT identifier, license_sid, meter, quantity, route, code, first_attempt_at
  FROM usage_revisions
 WHERE identifier IN %(identifiers)s AND state = 'REJECTED'
 ORDER BY identifier
   FOR UPDATE

-- name: reopen
-- What the sink has heard of keeps its attempts, and pushed_at says why it is doubtful: see the rules.
UPDATE usage_revisions
   SET pushed_at = COALESCE(pushed_at, last_attempt_at), state = 'SEALED', code = NULL, settled_at = NULL
 WHERE identifier IN %(identifiers)s AND state = 'REJECTED'
