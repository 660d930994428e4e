using System.Data.Common;
using System.Text;
using Im.Timelines;

namespace Im.Benchmarks.Stores;

/// <summary>
/// The yardstick: the rows of one <see cref="CommitShape"/> commit in plain SQL through the driver, without reading, checking or numbering anything.
/// One prepared statement a row for SQLite, many rows a statement for MySQL: what is fastest with each driver.
/// </summary>
internal sealed class RawCommit
{
    private readonly DbConnection _connection;
    private readonly CommitShape _shape;
    private readonly int _messages;
    private readonly RawTable _entries;
    private readonly RawTable _sent;
    private readonly RawTable _chunks;
    private readonly RawTable _inboxes;
    private readonly RawTable _own;
    private readonly RawTable _conversations;
    private readonly RawTable _commits;
    private readonly byte[][] _users;
    private readonly byte[] _conversation;
    private readonly byte[] _writer = new byte[16];
    private readonly byte[] _hash = new byte[32];
    private long _conversationHead;
    private long _inboxHead;
    private long _batch;

    public RawCommit(DbConnection connection, CommitShape shape, int messages, bool manyRows)
    {
        _connection = connection;
        _shape = shape;
        _messages = messages;
        _users = [.. shape.UserIds.Select(Encoding.UTF8.GetBytes)];
        _conversation = Encoding.UTF8.GetBytes(shape.ConversationId);
        var upsert = manyRows ? "ON DUPLICATE KEY UPDATE" : "ON CONFLICT DO UPDATE SET";
        string Take(string column) => manyRows ? $"{column} = VALUES({column})" : $"{column} = excluded.{column}";
        _entries = Table("im_entries", "conversation_id, seq, ordinal, sender_id, sender_device_id, client_message_id, time_ms, kind, flags, body", 10, "");
        _sent = Table("im_sent", "sender_id, client_message_id, conversation_id, seq, ordinal, time_ms, hash, claimed_ms", 8, "");
        _chunks = Table("im_inbox_chunks", "user_id, last_seq, first_seq, time_ms, runs", 5, "");
        _inboxes = Table("im_inboxes", "user_id, head, floor", 3, $"{upsert} {Take("head")}");
        _own = Table(
            "im_members",
            "conversation_id, user_id, joined_seq, is_present, join_ordinal, read_seq, read_ordinal, own_ordinal",
            8,
            $"{upsert} {Take("own_ordinal")}");
        _conversations = Table("im_conversations", "conversation_id, head, floor, ordinal, version", 5, $"{upsert} {Take("head")}, {Take("ordinal")}");
        _commits = Table("im_commits", "node_name, batch_number, writer_id, time_ms, runs", 5, "");

        RawTable Table(string name, string columns, int width, string tail) => new(connection, name, columns, width, tail, manyRows ? 250 : 1);
    }

    public void Commit()
    {
        using var transaction = _connection.BeginTransaction();
        var first = _conversationHead + 1;
        for (var i = 0; i < _messages; i++)
        {
            var seq = ++_conversationHead;
            var id = Encoding.UTF8.GetBytes(_shape.NextId());
            var sender = _users[i % _users.Length];
            _entries.Add(transaction, _conversation, seq, seq, sender, "phone"u8.ToArray(), id, 1_700_000_000_000, 0L, 2L, CommitShape.MessageBody);
            _sent.Add(transaction, sender, id, _conversation, seq, seq, 1_700_000_000_000, _hash, 1_700_000_000_000);
        }

        for (var i = 0; i < Math.Min(_messages, _users.Length); i++)
        {
            _own.Add(transaction, _conversation, _users[i], 1L, 1L, 0L, 0L, 0L, _conversationHead);
        }

        var runs = Pack(first);
        foreach (var user in _users)
        {
            _chunks.Add(transaction, user, _inboxHead + _messages, _inboxHead + 1, 1_700_000_000_000, runs);
            _inboxes.Add(transaction, user, _inboxHead + _messages, 1L);
        }

        _inboxHead += _messages;
        _conversations.Add(transaction, _conversation, _conversationHead, 1L, _conversationHead, 1L);
        _commits.Add(transaction, "bench"u8.ToArray(), ++_batch, _writer, 1_700_000_000_000, runs);
        foreach (var table in (RawTable[])[_entries, _sent, _own, _chunks, _inboxes, _conversations, _commits])
        {
            table.Flush(transaction);
        }

        transaction.Commit();
    }

    // As large as a packed run is.
    private byte[] Pack(long first)
    {
        var run = new Run(_shape.ConversationId, new ConversationSeq(first), _messages);
        return [1, (byte)_conversation.Length, .. _conversation, .. BitConverter.GetBytes((int)run.First.Value), .. BitConverter.GetBytes((short)run.Count)];
    }
}
