"""The statements of the reference CRM; each serves a whole batch.

What they write is sorted by its key, so that two batches which meet on several rows cannot wait for each other in a
circle. Rows that are there are found by ``= ANY`` of their keys, under any plan (see ``receipts_sql``).
"""

from typing import Final

# Customers before their tags, as all others lock them: the subquery is done before the first tag is.
APPLY_TAGS: Final = """
    WITH wanted AS (
      SELECT DISTINCT customer_id, tag FROM unnest(%(customers)s::text[], %(tags)s::text[]) AS asked (customer_id, tag)
    ), met AS (
      INSERT INTO crm.customers (customer_id) SELECT DISTINCT customer_id FROM wanted ORDER BY customer_id
      ON CONFLICT (customer_id) DO NOTHING
      RETURNING 1
    )
    INSERT INTO crm.tags (customer_id, tag)
    SELECT customer_id, tag FROM wanted WHERE (SELECT count(*) FROM met) >= 0
    ORDER BY customer_id, tag
    ON CONFLICT (customer_id, tag) DO NOTHING
    RETURNING customer_id, tag
"""
REMOVE_TAGS: Final = """
    DELETE FROM crm.tags t USING (
      SELECT held.customer_id, held.tag FROM crm.tags held
      WHERE held.customer_id = ANY(%(customers)s::text[])
        AND (held.customer_id, held.tag) IN (SELECT * FROM unnest(%(customers)s::text[], %(tags)s::text[]))
      ORDER BY held.customer_id, held.tag FOR UPDATE OF held
    ) AS locked
    WHERE t.customer_id = ANY(%(customers)s::text[]) AND t.customer_id = locked.customer_id AND t.tag = locked.tag
    RETURNING t.customer_id, t.tag
"""
CREATE_NOTES: Final = """
    INSERT INTO crm.notes (note_id, customer_id, text)
    SELECT note_id, customer_id, text
    FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS wanted (note_id, customer_id, text)
    ORDER BY note_id
    ON CONFLICT (note_id) DO NOTHING
"""
CREATE_APPOINTMENTS: Final = """
    INSERT INTO crm.appointments (appointment_id, customer_id, title, starts_at, ends_at, assignee)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[])
      AS wanted (appointment_id, customer_id, title, starts_at, ends_at, assignee)
    ORDER BY appointment_id
    ON CONFLICT (appointment_id) DO NOTHING
    RETURNING appointment_id
"""
CREATE_TASKS: Final = """
    INSERT INTO crm.tasks (task_id, customer_id, title, description, assignee, due_at)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
      AS wanted (task_id, customer_id, title, description, assignee, due_at)
    ORDER BY task_id
    ON CONFLICT (task_id) DO NOTHING
"""
# Rows that are not there yet are made first, so that all of them can be locked.
MEET_CUSTOMERS: Final = """
    INSERT INTO crm.customers (customer_id)
    SELECT DISTINCT customer_id FROM unnest(%s::text[]) AS wanted (customer_id) ORDER BY customer_id
    ON CONFLICT (customer_id) DO NOTHING
"""
LOCK_CUSTOMERS: Final = """
    SELECT customer_id, profile::text FROM crm.customers WHERE customer_id = ANY(%s::text[])
    ORDER BY customer_id FOR UPDATE
"""
SAVE_CUSTOMERS: Final = """
    UPDATE crm.customers
    SET profile = %(profiles)s::jsonb -> (array_position(%(ids)s::text[], customer_id) - 1), updated_at = now()
    WHERE customer_id = ANY(%(ids)s::text[])
"""
MEET_CONVERSATIONS: Final = """
    INSERT INTO crm.conversations (conversation_id, customer_id)
    SELECT DISTINCT ON (conversation_id) conversation_id, customer_id
    FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS wanted (conversation_id, customer_id, position)
    ORDER BY conversation_id, position
    ON CONFLICT (conversation_id) DO NOTHING
"""
LOCK_CONVERSATIONS: Final = """
    SELECT conversation_id, assignee FROM crm.conversations WHERE conversation_id = ANY(%s::text[])
    ORDER BY conversation_id FOR UPDATE
"""
ASSIGN_CONVERSATIONS: Final = """
    UPDATE crm.conversations
    SET assignee = (%(assignees)s::text[])[array_position(%(ids)s::text[], conversation_id)], updated_at = now()
    WHERE conversation_id = ANY(%(ids)s::text[])
"""
# Profiles come as text: Postgres writes 1e20 as a whole number, which only our own parser reads back as it was.
_CUSTOMER: Final = """
    SELECT c.customer_id, c.profile::text,
      (SELECT coalesce(array_agg(tag ORDER BY tag COLLATE "C"), '{}') FROM crm.tags t
       WHERE t.customer_id = c.customer_id)
    FROM crm.customers c
"""
CUSTOMERS: Final = f"{_CUSTOMER} WHERE c.customer_id = ANY(%s::text[])"
CUSTOMERS_AFTER: Final = f"""{_CUSTOMER}
    WHERE c.customer_id COLLATE "C" > %s ORDER BY c.customer_id COLLATE "C" LIMIT %s
"""
ORDERS: Final = """
    SELECT order_id AS id, customer_id, affiliate_id, status, total, currency, items::text AS items,
      created_at, paid_at, cancelled_at, delivered_at
    FROM sales.orders WHERE order_id = ANY(%s::text[])
"""
