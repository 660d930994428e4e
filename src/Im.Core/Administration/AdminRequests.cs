namespace Im.Administration;

/// <summary>Nothing more than the question itself.</summary>
internal sealed record NoArguments;

/// <summary>Asks a node for its connections after a number.</summary>
internal sealed record ConnectionsRequest(AdminConnectionFilter Filter, long After, int Limit);

/// <summary>A node's part of a page.</summary>
internal sealed record ConnectionsAnswer(AdminConnection[] Connections, long Last, bool HasMore);

/// <summary>Asks for one connection, or to close it.</summary>
internal sealed record ConnectionRequest(string ConnectionId, int Code = 0, string Reason = "");

/// <summary>Whether there was such a connection, and what it is.</summary>
internal sealed record ConnectionAnswer(bool IsFound, AdminConnectionDetail? Detail);

/// <summary>Asks how far a user's sessions are in a conversation, and what the notifiers did with one of its messages.</summary>
internal sealed record PlacesRequest(string UserId, string ConversationId, long Seq);

/// <summary>What a node knows of it.</summary>
internal sealed record PlacesAnswer(AdminSessionPlace[] Sessions, AdminNotice[] Notices, bool HasNotifiers);

/// <summary>Asks a node to hand a packet to all its sessions.</summary>
internal sealed record BroadcastRequest(byte[] Packet);

/// <summary>To how many it was handed, and for how many there was no room.</summary>
internal sealed record BroadcastAnswer(int Sessions, int Dropped);
