"""
How subscriptions and invoices live: periods, lines, payments, retries, and the status that follows from them.

No module here reads a request. The layers, lowest first: ``proration`` and ``lines`` (what is owed), ``status``
(what a subscription may become), ``payments`` (one attempt), ``collection`` (an invoice's way from draft to its
end), ``pending`` (items waiting for an invoice), ``invoicing`` (making an invoice), ``renewals`` (what time does).
"""
