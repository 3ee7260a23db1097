"""The statements of the reference CRM; each serves a whole batch.

What they write is sorted by its key, so that two batches which meet on several rows cannot wait for each other in a
circle.
"""

from typing import Final

APPLY_TAGS: Final = """
    INSERT INTO crm.tags (customer_id, tag)
    SELECT DISTINCT customer_id, tag FROM unnest(%s::text[], %s::text[]) AS wanted (customer_id, tag)
    ORDER BY customer_id, tag
    ON CONFLICT (customer_id, tag) DO NOTHING
    RETURNING customer_id, tag
"""
REMOVE_TAGS: Final = """
    DELETE FROM crm.tags t USING (
      SELECT held.customer_id, held.tag FROM crm.tags held
      JOIN (SELECT DISTINCT customer_id, tag FROM unnest(%s::text[], %s::text[]) AS w (customer_id, tag)) AS wanted
        USING (customer_id, tag)
      ORDER BY held.customer_id, held.tag FOR UPDATE OF held
    ) AS locked
    WHERE t.customer_id = locked.customer_id AND t.tag = locked.tag
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
    SELECT customer_id, profile FROM crm.customers WHERE customer_id = ANY(%s::text[])
    ORDER BY customer_id FOR UPDATE
"""
SAVE_CUSTOMERS: Final = """
    UPDATE crm.customers c SET profile = wanted.profile, updated_at = now()
    FROM ROWS FROM (unnest(%s::text[]), jsonb_array_elements(%s::jsonb)) AS wanted (customer_id, profile)
    WHERE c.customer_id = wanted.customer_id
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
    UPDATE crm.conversations c SET assignee = wanted.assignee, updated_at = now()
    FROM unnest(%s::text[], %s::text[]) AS wanted (conversation_id, assignee)
    WHERE c.conversation_id = wanted.conversation_id
"""
CUSTOMERS: Final = """
    SELECT wanted.customer_id, coalesce(c.profile, '{}'),
      coalesce((SELECT jsonb_agg(tag ORDER BY tag) FROM crm.tags t WHERE t.customer_id = wanted.customer_id), '[]')
    FROM unnest(%s::text[]) AS wanted (customer_id)
    LEFT JOIN crm.customers c ON c.customer_id = wanted.customer_id
"""
