-- Every statement may be run again. Ids are UTF-8 bytes (VARBINARY), so that they are compared byte by byte. Times are unix milliseconds UTC.

-- The schema's number, the generation, and what health checks write.
CREATE TABLE IF NOT EXISTS im_meta (
  name VARBINARY(64) NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The head row of each conversation; it outlives the entries.
CREATE TABLE IF NOT EXISTS im_conversations (
  conversation_id VARBINARY(160) NOT NULL,
  head BIGINT NOT NULL,
  floor BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (conversation_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The head row of a user's inbox. Chunks up to merged_seq were merged and are full.
CREATE TABLE IF NOT EXISTS im_inboxes (
  user_id VARBINARY(64) NOT NULL,
  head BIGINT NOT NULL,
  floor BIGINT NOT NULL,
  merged_seq BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Each message once. flags: 1 = the body is gone, 2 = counts as unread.
CREATE TABLE IF NOT EXISTS im_entries (
  conversation_id VARBINARY(160) NOT NULL,
  seq BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  sender_id VARBINARY(64) NOT NULL,
  sender_device_id VARBINARY(64) NOT NULL,
  client_message_id VARBINARY(64) NOT NULL,
  time_ms BIGINT NOT NULL,
  kind INT NOT NULL,
  flags INT NOT NULL,
  body MEDIUMBLOB NOT NULL,
  PRIMARY KEY (conversation_id, seq)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What a commit added to an inbox, as packed runs.
CREATE TABLE IF NOT EXISTS im_inbox_chunks (
  user_id VARBINARY(64) NOT NULL,
  last_seq BIGINT NOT NULL,
  first_seq BIGINT NOT NULL,
  time_ms BIGINT NOT NULL,
  runs MEDIUMBLOB NOT NULL,
  PRIMARY KEY (user_id, last_seq)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Claimed ids with their original answers.
CREATE TABLE IF NOT EXISTS im_sent (
  sender_id VARBINARY(64) NOT NULL,
  client_message_id VARBINARY(64) NOT NULL,
  conversation_id VARBINARY(160) NOT NULL,
  seq BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  time_ms BIGINT NOT NULL,
  hash VARBINARY(32) NOT NULL,
  claimed_ms BIGINT NOT NULL,
  PRIMARY KEY (sender_id, client_message_id),
  KEY im_sent_claimed (claimed_ms)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The commit log: one row a commit. writer_id: which process wrote it.
CREATE TABLE IF NOT EXISTS im_commits (
  node_name VARBINARY(255) NOT NULL,
  batch_number BIGINT NOT NULL,
  writer_id BINARY(16) NOT NULL,
  time_ms BIGINT NOT NULL,
  runs MEDIUMBLOB NOT NULL,
  PRIMARY KEY (node_name, batch_number)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS im_groups (
  conversation_id VARBINARY(160) NOT NULL,
  name MEDIUMTEXT NOT NULL,
  avatar MEDIUMTEXT NOT NULL,
  extra MEDIUMTEXT NOT NULL,
  fanout VARCHAR(64) NOT NULL,
  fanout_pinned INT NOT NULL,
  is_dissolved INT NOT NULL,
  member_count BIGINT NOT NULL,
  PRIMARY KEY (conversation_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Everyone who is or was a member, of direct and own conversations too; marks and ordinals for unread counts.
CREATE TABLE IF NOT EXISTS im_members (
  conversation_id VARBINARY(160) NOT NULL,
  user_id VARBINARY(64) NOT NULL,
  joined_seq BIGINT NOT NULL,
  is_present INT NOT NULL,
  join_ordinal BIGINT NOT NULL,
  read_seq BIGINT NOT NULL,
  read_ordinal BIGINT NOT NULL,
  own_ordinal BIGINT NOT NULL,
  PRIMARY KEY (conversation_id, user_id),
  KEY im_members_user (user_id, conversation_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Each stay of a user in a conversation; last_seq is NULL while it goes on.
CREATE TABLE IF NOT EXISTS im_stays (
  user_id VARBINARY(64) NOT NULL,
  conversation_id VARBINARY(160) NOT NULL,
  first_seq BIGINT NOT NULL,
  last_seq BIGINT NULL,
  PRIMARY KEY (user_id, conversation_id, first_seq)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The parts of conversations that a user reads by cursor; last_seq is NULL while it goes on.
CREATE TABLE IF NOT EXISTS im_read_parts (
  user_id VARBINARY(64) NOT NULL,
  conversation_id VARBINARY(160) NOT NULL,
  after_seq BIGINT NOT NULL,
  last_seq BIGINT NULL,
  inbox_seq BIGINT NOT NULL,
  PRIMARY KEY (user_id, conversation_id, after_seq)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS im_devices (
  user_id VARBINARY(64) NOT NULL,
  device_id VARBINARY(64) NOT NULL,
  type MEDIUMTEXT NOT NULL,
  brand MEDIUMTEXT NOT NULL,
  model MEDIUMTEXT NOT NULL,
  os MEDIUMTEXT NOT NULL,
  client_version MEDIUMTEXT NOT NULL,
  last_sign_in_ms BIGINT NOT NULL,
  PRIMARY KEY (user_id, device_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How far a device has stored a timeline. kind: 0 = a conversation's timeline, 1 = an inbox.
CREATE TABLE IF NOT EXISTS im_device_acks (
  user_id VARBINARY(64) NOT NULL,
  device_id VARBINARY(64) NOT NULL,
  kind INT NOT NULL,
  timeline_id VARBINARY(160) NOT NULL,
  seq BIGINT NOT NULL,
  PRIMARY KEY (user_id, device_id, kind, timeline_id)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
