"""
Work to be done after a commit: a row in the caller's transaction (the outbox), then a lease, then retries.

Jobs know a kind, a payload and a time. They do not know who carries them out: ``functions/job_worker`` does.
"""
