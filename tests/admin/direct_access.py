"""The access matrix once more, straight on Postgres: which statement each operation comes to, and whom it lets by.

``+`` a row is seen, changed or made; ``x`` none is, or the statement is refused. The columns are nobody (no claims),
the owner of the thing, another user, another user with every permission, an API key with every permission, an
administrator.

``closed`` is a statement on tables that are the API's or the workers' own: whoever has SQL as a user or as an
administrator is refused, so that the API's own checks are the only way. ``none`` touches nobody's rows.
"""

from typing import Final

CALLERS: Final = ("nobody", "owner", "other", "trusted", "key", "admin")

# operation                 statement             nobody owner other trusted key admin
TABLE: Final = """
createWorkflow              make workflow         x + + + x +
listWorkflows               see workflow          x + x x x +
getWorkflow                 see workflow          x + x x x +
replaceWorkflow             change workflow       x + x x x +
patchWorkflow               change workflow       x + x x x +
deleteWorkflow              delete workflow       x + x x x +
restoreWorkflow             restore workflow      x + x x x +
duplicateWorkflow           see workflow          x + x x x +
duplicateWorkflow           make workflow         x + + + x +
getDraft                    see draft             x + x x x +
saveDraft                   begin draft           x + x x x +
saveDraft                   change draft          x + x x x +
patchDraft                  change draft          x + x x x +
discardDraft                change draft          x + x x x +
publishDraft                change workflow       x + x x x +
getRevision                 see revisions         x + x x x +
restoreRevision             see revisions         x + x x x +
restoreRevision             change draft          x + x x x +
compareStates               see workflow          x + x x x +
compareStates               see revisions         x + x x x +
compareStates               see draft             x + x x x +
previewPublishing           see draft             x + x x x +
previewPublishing           see timers            x + x x x +
previewPublishing           see execution         x + x x x +
changeManyWorkflows         switch workflow       x + x x x +
changeManyWorkflows         delete workflow       x + x x x +
exportWorkflows             see workflow          x + x x x +
activateWorkflow            switch workflow       x + x x x +
deactivateWorkflow          switch workflow       x + x x x +
cancelWaiting               see timers            x + x x x +
cancelWaiting               closed: DELETE FROM timers
listRevisions               see revisions         x + x x x +
testDraft                   none: it is judged in memory
testWorkflow                see workflow          x + x x x +
executeWorkflow             see workflow          x + x x x +
createTemplate              make template         x + + + x +
listTemplates               see template          x + x x x +
getTemplate                 see template          x + x x x +
getTemplateForm             see template          x + x x x +
listTemplateCategories      none: they are of the templates that listTemplates lists
replaceTemplate             change template       x + x x x +
patchTemplate               change template       x + x x x +
deleteTemplate              delete template       x + x x x +
applyTemplate               see template          x + x x x +
applyTemplate               make workflow         x + + + x +
createTemplateFromWorkflow  see workflow          x + x x x +
createTemplateFromWorkflow  make template         x + + + x +
createMessageTemplate       make text             x + + + x +
listMessageTemplates        see text              x + x x x +
getMessageTemplate          see text              x + x x x +
replaceMessageTemplate      change text           x + x x x +
patchMessageTemplate        change text           x + x x x +
deleteMessageTemplate       delete text           x + x x x +
createChannel               make channel          x x x x x +
listChannels                see channel           x x x x x +
getChannel                  see channel           x x x x x +
replaceChannel              change channel        x x x x x +
deleteChannel               delete channel        x x x x x +
listNotifications           see notification      x + x x x x
readNotification            read notification     x + x x x x
ingestEvents                none: it goes to Kafka
listRecentEvents            closed: SELECT FROM dead_letters
lookUpEvent                 closed: SELECT FROM dead_letters
listExecutions              see execution         x + x x x +
listWaiting                 see timers            x + x x x +
getExecution                see execution         x + x x x +
cancelExecution             see timers            x + x x x +
cancelExecution             closed: DELETE FROM timers
retryExecution              see execution         x + x x x +
retryExecution              closed: UPDATE execution_keys SET attempt = 9
exportExecutions            see execution         x + x x x +
streamExecutions            see execution         x + x x x +
search                      see workflow          x + x x x +
search                      see execution         x + x x x +
search                      closed: SELECT FROM crm.customers
listDeadLetters             closed: SELECT FROM dead_letters
getDeadLetter               closed: SELECT FROM dead_letters
replayDeadLetter            closed: UPDATE dead_letters SET replayed_at = now()
discardDeadLetter           closed: UPDATE dead_letters SET discarded_at = now()
showQueue                   closed: SELECT FROM breakers
streamQueue                 closed: SELECT FROM breakers
createCustomer              closed: INSERT INTO crm.customers (customer_id) VALUES ('c')
listCustomers               closed: SELECT FROM crm.customers
getCustomer                 closed: SELECT FROM crm.customers
updateCustomer              closed: UPDATE crm.customers SET profile = '{}'
deleteCustomer              closed: DELETE FROM crm.customers
applyTag                    closed: INSERT INTO crm.tags (customer_id, tag) VALUES ('c', 't')
removeTag                   closed: DELETE FROM crm.tags
createNote                  closed: INSERT INTO crm.notes DEFAULT VALUES
listNotes                   closed: SELECT FROM crm.notes
createTask                  closed: INSERT INTO crm.tasks DEFAULT VALUES
listTasks                   closed: SELECT FROM crm.tasks
getTask                     closed: SELECT FROM crm.tasks
finishTask                  closed: DELETE FROM crm.tasks
createAppointment           closed: INSERT INTO crm.appointments DEFAULT VALUES
listAppointments            closed: SELECT FROM crm.appointments
getAppointment              closed: SELECT FROM crm.appointments
completeAppointment         closed: DELETE FROM crm.appointments
missAppointment             closed: DELETE FROM crm.appointments
createConversation          closed: INSERT INTO crm.conversations DEFAULT VALUES
listConversations           closed: SELECT FROM crm.conversations
getConversation             closed: SELECT FROM crm.conversations
assignConversation          closed: DELETE FROM crm.conversations
resolveConversation         closed: DELETE FROM crm.conversations
receiveMessage              closed: INSERT INTO crm.messages DEFAULT VALUES
listMessages                closed: SELECT FROM crm.messages
createOrder                 closed: INSERT INTO sales.orders DEFAULT VALUES
listOrders                  closed: SELECT FROM sales.orders
getOrder                    closed: SELECT FROM sales.orders
payOrder                    closed: DELETE FROM sales.orders
cancelOrder                 closed: DELETE FROM sales.orders
deliverOrder                closed: DELETE FROM sales.orders
setPartner                  closed: INSERT INTO affiliates.affiliates DEFAULT VALUES
listPartners                closed: SELECT FROM affiliates.affiliates
calculateCommission         closed: INSERT INTO affiliates.commissions DEFAULT VALUES
listCommissions             closed: SELECT FROM affiliates.commissions
getCommission               closed: SELECT FROM affiliates.commissions
payCommission               closed: DELETE FROM affiliates.commissions
listApiKeys                 see key               x x x x x +
createApiKey                make key              x x x x x +
rotateApiKey                end key               x x x x x +
rotateApiKey                make key              x x x x x +
revokeApiKey                revoke key            x x x x x +
listAudit                   see trail             x x x x x +
signIn                      none: there are no claims yet; the API's own role opens the session
signInByLink                none: the same
beginOpenId                 none: the same
endOpenId                   none: the same
listUsers                   see other user        x x x x x +
createUser                  make user             x x x x x +
getUser                     see user              x + x x x +
patchUser                   change user           x x x x x +
deleteUser                  delete user           x x x x x +
setPassword                 see user              x + x x x +
setPassword                 closed: UPDATE users SET password_hash = 'x'
showSession                 none: it is the request's own
signOut                     none: it ends the request's own, as endSession does
listSessions                see session           x + x x x +
endSession                  end session           x + x x x +
listSecrets                 see secret            x x x x x +
putSecret                   make secret           x x x x x +
putSecret                   change secret         x x x x x +
deleteSecret                delete secret         x x x x x +
listEventTypes              none: they are in the code, and seen in Kafka
getEventType                none: they are in the code, and seen in Kafka
listActionTypes             none: they are in the code
healthz                     none: it asks nobody
readyz                      none: the API asks for itself
metrics                     none: the API asks for itself
docs                        none: they are in the code
openapi                     none: it is in the code
"""
STATEMENTS: Final = {
    "make workflow": "INSERT INTO automations (name, trigger_type, created_by) VALUES ('x', 'order.paid', %(me)s)",
    "see workflow": "SELECT FROM automations WHERE id = %(workflow)s",
    "change workflow": "UPDATE automations SET name = 'y' WHERE id = %(workflow)s",
    "switch workflow": "UPDATE automations SET active = false WHERE id = %(workflow)s",
    "delete workflow": "UPDATE automations SET deleted_at = now() WHERE id = %(workflow)s",
    "restore workflow": "UPDATE automations SET deleted_at = NULL WHERE id = %(deleted)s",
    "see draft": "SELECT FROM automation_drafts WHERE automation_id = %(workflow)s",
    "begin draft": "INSERT INTO automation_drafts (automation_id, body, based_on) VALUES (%(undrafted)s, '{}', 1)",
    "change draft": "UPDATE automation_drafts SET body = '{}' WHERE automation_id = %(workflow)s",
    "see revisions": "SELECT FROM automation_revisions WHERE automation_id = %(workflow)s",
    "see timers": "SELECT FROM timers WHERE workflow_id = %(workflow)s",
    "see execution": "SELECT FROM automation_logs WHERE automation_id = %(workflow)s",
    "make template": "INSERT INTO automation_templates (name, trigger_type, created_by)"
    " VALUES ('x', 'order.paid', %(me)s)",
    "see template": "SELECT FROM automation_templates WHERE id = %(template)s",
    "change template": "UPDATE automation_templates SET name = 'y' WHERE id = %(template)s",
    "delete template": "DELETE FROM automation_templates WHERE id = %(template)s",
    "make text": "INSERT INTO message_templates (id, name, kind, text, created_by)"
    " VALUES (gen_random_uuid(), 'x', 'sms', 'x', %(me)s)",
    "see text": "SELECT FROM message_templates WHERE id = %(text)s",
    "change text": "UPDATE message_templates SET name = 'y' WHERE id = %(text)s",
    "delete text": "DELETE FROM message_templates WHERE id = %(text)s",
    "make channel": "INSERT INTO notification_channels"
    " (id, name, service, url, version, updated_by, created_at, updated_at)"
    " VALUES (gen_random_uuid(), 'x', 'JSON', '', 1, %(me)s, now(), now())",
    "see channel": "SELECT id FROM notification_channels WHERE id = %(channel)s",
    "change channel": "UPDATE notification_channels SET name = 'y', updated_by = %(me)s WHERE id = %(channel)s",
    "delete channel": "DELETE FROM notification_channels WHERE id = %(channel)s",
    "see notification": "SELECT FROM notifications WHERE id = %(notification)s",
    "read notification": "UPDATE notifications SET read_at = now() WHERE id = %(notification)s",
    "see key": "SELECT id FROM api_keys WHERE id = %(api_key)s",
    "make key": "INSERT INTO api_keys (id, name, digest, permissions, created_by)"
    " VALUES (gen_random_uuid(), 'x', sha256('x'), '{}', %(me)s)",
    "end key": "UPDATE api_keys SET expires_at = now() WHERE id = %(api_key)s",
    "revoke key": "UPDATE api_keys SET revoked_at = now() WHERE id = %(api_key)s",
    "see trail": "SELECT FROM audit_trail WHERE object_id = %(workflow)s::text",
    "see user": "SELECT id FROM users WHERE id = %(owner)s",
    "see other user": "SELECT id FROM users WHERE id = %(somebody)s",
    "make user": "INSERT INTO users (id, email, name, role) VALUES (gen_random_uuid(), 'n@x.example', 'New', 'user')",
    "change user": "UPDATE users SET name = 'y' WHERE id = %(owner)s",
    "delete user": "DELETE FROM users WHERE id = %(somebody)s",
    "see session": "SELECT id FROM sessions WHERE id = %(session)s",
    "end session": "DELETE FROM sessions WHERE id = %(session)s",
    "see secret": "SELECT name FROM secrets WHERE name = 'OURS'",
    "make secret": "INSERT INTO secrets (name, value, updated_by) VALUES ('X', 'x', %(me)s)",
    "change secret": "UPDATE secrets SET value = 'y', updated_by = %(me)s WHERE name = 'OURS'",
    "delete secret": "DELETE FROM secrets WHERE name = 'OURS'",
}
