-- name: add_drift
INSERT INTO usage_drift (stripe_customer_id, meter, hour_start, ours, theirs, found_at)
VALUES (%(stripe_customer_id)s, %(meter)s, %(hour_start)s, %(ours)s, %(theirs)s, %(now)s)

-- name: renew_drift
UPDATE usage_drift
   SET ours = %(ours)s, theirs = %(theirs)s
 WHERE stripe_customer_id = %(stripe_customer_id)s AND meter = %(meter)s AND hour_start = %(hour_start)s AND healed_at IS NULL

-- name: heal_drift
UPDATE usage_drift
   SET healed_at = %(now)s
 WHERE stripe_customer_id = %(stripe_customer_id)s AND meter = %(meter)s AND hour_start IN %(hours)s AND healed_at IS NULL

-- name: read_figures
-- What is watched: open differences, what was refused of late, and since when the oldest seal waits to be told.
SELECT (SELECT COUNT(drift_id) FROM usage_drift WHERE healed_at IS NULL) AS drift,
       (SELECT COUNT(identifier) FROM usage_revisions WHERE state = 'REJECTED' AND settled_at > %(since_at)s
           AND code <> 'dropped-late') AS rejected,
       (SELECT MIN(sealed_at) FROM usage_revisions WHERE state = 'SEALED' AND route = 'METER') AS waiting_since

-- name: add_report
INSERT INTO usage_error_reports (report_id, code, error_count, unnamed, reported_at, created_at)
VALUES (%(report_id)s, %(code)s, %(error_count)s, %(unnamed)s, %(reported_at)s, %(now)s)

-- name: find_unnamed
-- The newest report since then that counted more errors than it named.
SELECT code
  FROM usage_error_reports
 WHERE reported_at >= %(reported_at)s AND unnamed > 0
 ORDER BY reported_at DESC, code
 LIMIT 1
