-- oldest program: 1
-- Sends of the host that wait for their commit, in order of id, which is never given twice. content: an im.v1.Content.
CREATE TABLE im_queued_sends (
    id                INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    node_name         BLOB    NOT NULL,
    time_ms           INTEGER NOT NULL,
    sender_id         BLOB    NOT NULL,
    client_message_id BLOB    NOT NULL,
    conversation_id   BLOB    NOT NULL,
    content           BLOB    NOT NULL
);

CREATE INDEX im_queued_sends_node ON im_queued_sends (node_name);
