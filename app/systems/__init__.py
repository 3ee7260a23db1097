"""The reference systems: a small CRM, Sales and Affiliates in our own Postgres, so that a business can be played.

Every change announces itself with its event, complete, in the same transaction; what changes nothing announces nothing.
A user's own systems take their place by speaking the contract in ``docs/crm-http.md``, or by sending events.
"""
