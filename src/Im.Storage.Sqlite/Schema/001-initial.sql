-- Ids are UTF-8 bytes (BLOB), so that they are compared byte by byte. Times are unix milliseconds UTC.

-- The schema's number, the generation, and what health checks write.
CREATE TABLE im_meta (
    name  BLOB NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- The head row of a conversation: it outlives the entries.
CREATE TABLE im_conversations (
    conversation_id BLOB    NOT NULL PRIMARY KEY,
    head            INTEGER NOT NULL,
    floor           INTEGER NOT NULL,
    ordinal         INTEGER NOT NULL,
    version         INTEGER NOT NULL
) WITHOUT ROWID;

-- The head row of a user's inbox. Chunks up to merged_seq were merged and are full.
CREATE TABLE im_inboxes (
    user_id    BLOB    NOT NULL PRIMARY KEY,
    head       INTEGER NOT NULL,
    floor      INTEGER NOT NULL,
    merged_seq INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Entries, each once. flags: 1 = the body is gone, 2 = counts as unread.
CREATE TABLE im_entries (
    conversation_id   BLOB    NOT NULL,
    seq               INTEGER NOT NULL,
    ordinal           INTEGER NOT NULL,
    sender_id         BLOB    NOT NULL,
    sender_device_id  BLOB    NOT NULL,
    client_message_id BLOB    NOT NULL,
    time_ms           INTEGER NOT NULL,
    kind              INTEGER NOT NULL,
    flags             INTEGER NOT NULL,
    body              BLOB    NOT NULL,
    PRIMARY KEY (conversation_id, seq)
) WITHOUT ROWID;

-- What a commit appended to an inbox: packed runs. Keyed by the last seq, so that the chunks after a cursor are one range.
CREATE TABLE im_inbox_chunks (
    user_id   BLOB    NOT NULL,
    last_seq  INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    time_ms   INTEGER NOT NULL,
    runs      BLOB    NOT NULL,
    PRIMARY KEY (user_id, last_seq)
) WITHOUT ROWID;

-- The ids that were claimed and what they stand for.
CREATE TABLE im_sent (
    sender_id         BLOB    NOT NULL,
    client_message_id BLOB    NOT NULL,
    conversation_id   BLOB    NOT NULL,
    seq               INTEGER NOT NULL,
    ordinal           INTEGER NOT NULL,
    time_ms           INTEGER NOT NULL,
    hash              BLOB    NOT NULL,
    claimed_ms        INTEGER NOT NULL,
    PRIMARY KEY (sender_id, client_message_id)
) WITHOUT ROWID;

CREATE INDEX im_sent_claimed ON im_sent (claimed_ms);

-- The commit log: one row a commit, its runs packed. writer_id: which process wrote it.
CREATE TABLE im_commits (
    node_name    BLOB    NOT NULL,
    batch_number INTEGER NOT NULL,
    writer_id    BLOB    NOT NULL,
    time_ms      INTEGER NOT NULL,
    runs         BLOB    NOT NULL,
    PRIMARY KEY (node_name, batch_number)
) WITHOUT ROWID;

CREATE TABLE im_groups (
    conversation_id BLOB    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    avatar          TEXT    NOT NULL,
    extra           TEXT    NOT NULL,
    fanout          TEXT    NOT NULL,
    fanout_pinned   INTEGER NOT NULL,
    is_dissolved    INTEGER NOT NULL,
    member_count    INTEGER NOT NULL
) WITHOUT ROWID;

-- Everyone who is or was in a conversation, with the marks; ordinals are those of the entries that the seqs name.
CREATE TABLE im_members (
    conversation_id BLOB    NOT NULL,
    user_id         BLOB    NOT NULL,
    joined_seq      INTEGER NOT NULL,
    is_present      INTEGER NOT NULL,
    join_ordinal    INTEGER NOT NULL,
    read_seq        INTEGER NOT NULL,
    read_ordinal    INTEGER NOT NULL,
    own_ordinal     INTEGER NOT NULL,
    PRIMARY KEY (conversation_id, user_id)
) WITHOUT ROWID;

CREATE INDEX im_members_user ON im_members (user_id, conversation_id);

-- From the join entry to the leave entry; last_seq is NULL while the stay goes on.
CREATE TABLE im_stays (
    user_id         BLOB    NOT NULL,
    conversation_id BLOB    NOT NULL,
    first_seq       INTEGER NOT NULL,
    last_seq        INTEGER,
    PRIMARY KEY (user_id, conversation_id, first_seq)
) WITHOUT ROWID;

-- What a member reads by cursor: behind the join or switch entry, which stands in the user's inbox at inbox_seq (0 = it does not).
CREATE TABLE im_read_parts (
    user_id         BLOB    NOT NULL,
    conversation_id BLOB    NOT NULL,
    after_seq       INTEGER NOT NULL,
    last_seq        INTEGER,
    inbox_seq       INTEGER NOT NULL,
    PRIMARY KEY (user_id, conversation_id, after_seq)
) WITHOUT ROWID;

CREATE TABLE im_devices (
    user_id         BLOB    NOT NULL,
    device_id       BLOB    NOT NULL,
    type            TEXT    NOT NULL,
    brand           TEXT    NOT NULL,
    model           TEXT    NOT NULL,
    os              TEXT    NOT NULL,
    client_version  TEXT    NOT NULL,
    last_sign_in_ms INTEGER NOT NULL,
    PRIMARY KEY (user_id, device_id)
) WITHOUT ROWID;

-- kind: 0 = a conversation's timeline, 1 = an inbox.
CREATE TABLE im_device_acks (
    user_id     BLOB    NOT NULL,
    device_id   BLOB    NOT NULL,
    kind        INTEGER NOT NULL,
    timeline_id BLOB    NOT NULL,
    seq         INTEGER NOT NULL,
    PRIMARY KEY (user_id, device_id, kind, timeline_id)
) WITHOUT ROWID;
