namespace Im.Storage.Relational;

/// <summary>The tables as the engine writes and looks them up; what they mean is said in docs/storage.md. The adapters' schema files create them.</summary>
internal static class Tables
{
    /// <summary>Bit of <c>im_entries.flags</c>: the body is no longer kept.</summary>
    public const long Gone = 1;

    /// <summary>Bit of <c>im_entries.flags</c>: the entry counts as unread.</summary>
    public const long Counts = 2;

    public static readonly RowTarget Meta = new("im_meta", RowMode.Upsert, ["name", "value"], 1, ["value"]);

    /// <summary>A row of im_meta that is only made to exist.</summary>
    public static readonly RowTarget MissingMeta = new("im_meta", RowMode.Upsert, ["name", "value"], 1, []);

    /// <summary>The database numbers the rows.</summary>
    public static readonly RowTarget QueuedSends = new(
        "im_queued_sends",
        RowMode.Insert,
        ["node_name", "time_ms", "sender_id", "client_message_id", "conversation_id", "content"],
        0,
        []);

    public static readonly KeySource ConversationHeads = new(
        "im_conversations", ["conversation_id"], ["head", "ordinal", "version", "floor"], Lock: true);

    public static readonly KeySource InboxHeads = new("im_inboxes", ["user_id"], ["head", "floor"], Lock: true);

    public static readonly KeySource ReadConversationHeads = ConversationHeads with { Lock = false };

    public static readonly KeySource ReadInboxHeads = InboxHeads with { Lock = false };

    public static readonly KeySource FindSent = new(
        "im_sent", ["sender_id", "client_message_id"], ["conversation_id", "seq", "ordinal", "time_ms", "hash"]);

    public static readonly KeySource FindMembers = new(
        "im_members", ["conversation_id", "user_id"], ["is_present", "joined_seq"]);

    // Upserts that change nothing, where rows are locked: an insert that ignores takes a shared lock first, which two nodes can take crosswise.
    public static readonly RowTarget MissingConversations = new(
        "im_conversations", RowMode.Upsert, ["conversation_id", "head", "floor", "ordinal", "version"], 1, []);

    public static readonly RowTarget MissingInboxes = new("im_inboxes", RowMode.Upsert, ["user_id", "head", "floor"], 1, []);

    public static readonly RowTarget MoveConversations = new(
        "im_conversations", RowMode.Upsert, ["conversation_id", "head", "floor", "ordinal", "version"], 1, ["head", "ordinal", "version"]);

    public static readonly RowTarget MoveInboxes = new("im_inboxes", RowMode.Upsert, ["user_id", "head", "floor"], 1, ["head"]);

    public static readonly RowTarget Entries = new(
        "im_entries",
        RowMode.Insert,
        ["conversation_id", "seq", "ordinal", "sender_id", "sender_device_id", "client_message_id", "time_ms", "kind", "flags", "body"],
        2,
        []);

    public static readonly RowTarget Sent = new(
        "im_sent",
        RowMode.InsertIfAbsent,
        ["sender_id", "client_message_id", "conversation_id", "seq", "ordinal", "time_ms", "hash", "claimed_ms"],
        2,
        []);

    public static readonly RowTarget Chunks = new(
        "im_inbox_chunks", RowMode.Insert, ["user_id", "last_seq", "first_seq", "time_ms", "runs"], 2, []);

    public static readonly RowTarget Commits = new("im_commits", RowMode.InsertIfAbsent, ["node_name", "batch_number", "writer_id", "time_ms", "runs"], 2, []);

    public static readonly RowTarget Groups = new(
        "im_groups",
        RowMode.Upsert,
        ["conversation_id", "name", "avatar", "extra", "fanout", "fanout_pinned", "is_dissolved", "member_count"],
        1,
        ["name", "avatar", "extra", "fanout", "fanout_pinned", "is_dissolved", "member_count"]);

    /// <summary>A user who joins; marks of an earlier stay are kept.</summary>
    public static readonly RowTarget Joins = new(
        "im_members",
        RowMode.Upsert,
        ["conversation_id", "user_id", "joined_seq", "is_present", "join_ordinal", "read_seq", "read_ordinal", "own_ordinal"],
        2,
        ["joined_seq", "is_present", "join_ordinal"]);

    public static readonly RowTarget Leaves = new(
        "im_members", RowMode.Update, ["conversation_id", "user_id", "is_present"], 2, ["is_present"]);

    public static readonly RowTarget OwnOrdinals = new(
        "im_members", RowMode.Update, ["conversation_id", "user_id", "own_ordinal"], 2, ["own_ordinal"]);

    public static readonly RowTarget Stays = new(
        "im_stays", RowMode.Upsert, ["user_id", "conversation_id", "first_seq", "last_seq"], 3, ["last_seq"]);

    public static readonly RowTarget ReadParts = new(
        "im_read_parts", RowMode.Insert, ["user_id", "conversation_id", "after_seq", "last_seq", "inbox_seq"], 3, []);

    public static readonly RowTarget ReadPartEnds = new(
        "im_read_parts", RowMode.Update, ["user_id", "conversation_id", "last_seq"], 2, ["last_seq"], Only: "last_seq IS NULL");

    public static readonly RowTarget Devices = new(
        "im_devices",
        RowMode.Upsert,
        ["user_id", "device_id", "type", "brand", "model", "os", "client_version", "last_sign_in_ms"],
        2,
        ["type", "brand", "model", "os", "client_version", "last_sign_in_ms"]);

    public static readonly RowTarget DeviceAcks = new(
        "im_device_acks", RowMode.Raise, ["user_id", "device_id", "kind", "timeline_id", "seq"], 4, ["seq"]);
}
