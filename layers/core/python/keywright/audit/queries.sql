-- name: add_entry
INSERT INTO audit_log (created_at, actor_kind, actor_sid, action, subject_sid, old_value, new_value, correlation_id)
VALUES (%(now)s, %(actor_kind)s, %(actor_sid)s, %(action)s, %(subject)s, %(old)s, %(new)s, %(correlation_id)s)
