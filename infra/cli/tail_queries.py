"""The statements of ``keywright tail``. Each takes a list of ids; none changes or locks anything."""

from __future__ import annotations

RELATED = (
    """
    SELECT l.license_sid, l.domain_sid, l.source_id, i.subscription_id, c.checkout_session_sid
      FROM licenses l
      LEFT JOIN subscription_items i ON i.item_id = l.source_id
      LEFT JOIN checkout_sessions c ON c.stripe_session_id = l.source_id
     WHERE l.license_sid IN %(ids)s OR l.source_id IN %(ids)s OR l.domain_sid IN %(ids)s
    """,
    # A customer leads to licenses; a license does not lead to everything else that its customer has.
    "SELECT license_sid FROM licenses WHERE customer_sid IN %(ids)s",
    """
    SELECT stripe_session_id, checkout_session_sid, domain_sid
      FROM checkout_sessions
     WHERE checkout_session_sid IN %(ids)s OR stripe_session_id IN %(ids)s OR domain_sid IN %(ids)s
    """,
    "SELECT i.item_id, i.subscription_id FROM subscription_items i WHERE i.subscription_id IN %(ids)s",
    "SELECT subscription_id, domain_sid FROM subscriptions WHERE subscription_id IN %(ids)s OR domain_sid IN %(ids)s",
    "SELECT invoice_id FROM invoices WHERE subscription_id IN %(ids)s",
    "SELECT stripe_customer_id FROM customers WHERE customer_sid IN %(ids)s",
    "SELECT object_id FROM stripe_events WHERE event_id IN %(ids)s",
    # A request leads to what came of it. What came of it does not lead on: clients choose these ids, and two may agree.
    "SELECT checkout_session_sid FROM checkout_sessions WHERE correlation_id IN %(ids)s",
    "SELECT event_id FROM stripe_event_work WHERE correlation_id IN %(ids)s",
    "SELECT event_id FROM stripe_events WHERE object_id IN %(ids)s",
)

HAPPENINGS = (
    """
    SELECT e.received_at AS at, 'event' AS what, e.event_id AS id,
           COALESCE(w.correlation_id, e.event_id) AS correlation_id,
           CONCAT(e.event_type, ' ', e.object_id, ' -> ', w.state, COALESCE(CONCAT(' ', w.reason), ''),
                  COALESCE(CONCAT(' waits for ', w.waiting_for), '')) AS detail
      FROM stripe_events e
      JOIN stripe_event_work w ON w.event_id = e.event_id
     WHERE e.event_id IN %(ids)s
    """,
    """
    SELECT created_at AS at, 'checkout' AS what, checkout_session_sid AS id, correlation_id,
           CONCAT(state, ' ', amount_minor, ' ', currency) AS detail
      FROM checkout_sessions
     WHERE checkout_session_sid IN %(ids)s
    """,
    """
    SELECT f.issued_at AS at, 'license file' AS what, f.license_sid AS id, NULL AS correlation_id,
           CONCAT('seq ', f.seq, ' by ', f.kid, ', the license is ', l.state) AS detail
      FROM license_files f
      JOIN licenses l ON l.license_sid = f.license_sid
     WHERE f.license_sid IN %(ids)s
    """,
    """
    SELECT created_at AS at, 'audit' AS what, subject_sid AS id, correlation_id,
           CONCAT(actor_kind, ' ', action) AS detail
      FROM audit_log
     WHERE subject_sid IN %(ids)s
    """,
)

_JOB = """
    SELECT created_at AS at, 'job' AS what, job_sid AS id, correlation_id,
           CONCAT(kind, ' -> ', state, COALESCE(CONCAT(' ', LEFT(last_error, 120)), '')) AS detail
      FROM jobs
"""
CORRELATED = (
    f"{_JOB} WHERE correlation_id IN %(ids)s",
    f"{_JOB} WHERE job_sid IN %(ids)s",
    """
    SELECT created_at AS at, 'audit' AS what, subject_sid AS id, correlation_id,
           CONCAT(actor_kind, ' ', action) AS detail
      FROM audit_log
     WHERE correlation_id IN %(ids)s
    """,
)
