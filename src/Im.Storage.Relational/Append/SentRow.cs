using Im.Timelines;

namespace Im.Storage.Relational.Append;

/// <summary>The original result of a claimed id, as <see cref="Tables.FindSent"/> reads it.</summary>
internal readonly record struct SentRow(string ConversationId, ConversationSeq Seq, long Ordinal, long TimeMs, ContentHash Hash)
{
    public static SentRow Read(SqlRow row) => new(
        row.GetId(0), new ConversationSeq(row.GetInt64(1)), row.GetInt64(2), row.GetInt64(3), ContentHash.Read(row.GetBytes(4)));
}
