-- oldest program: 1
-- Sends of the host that wait for their commit, in order of id. content: an im.v1.Content.
CREATE TABLE IF NOT EXISTS im_queued_sends (
  id BIGINT NOT NULL AUTO_INCREMENT,
  node_name VARBINARY(255) NOT NULL,
  time_ms BIGINT NOT NULL,
  sender_id VARBINARY(64) NOT NULL,
  client_message_id VARBINARY(64) NOT NULL,
  conversation_id VARBINARY(160) NOT NULL,
  content MEDIUMBLOB NOT NULL,
  PRIMARY KEY (id),
  KEY im_queued_sends_node (node_name)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
