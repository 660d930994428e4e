using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Sync;
using Im.Timelines;
using Microsoft.Extensions.Options;

namespace Im.Conversations;

/// <summary>The host's view of a user's conversations.</summary>
internal sealed class ImConversations(
    IConversationStore store, ReadMarks marks, HistoryReader history, IOptions<ImServerOptions> options) : IImConversations
{
    public const int MaxLimit = 1000;

    public async ValueTask<IReadOnlyList<ImConversation>> ListAsync(
        string userId, string? afterConversationId = null, int limit = 100, CancellationToken cancellationToken = default)
    {
        ThrowIfOutOfRange(limit);
        return [.. (await store.ListAsync(userId, afterConversationId, limit, cancellationToken)).Select(conversation => ToModel(userId, conversation))];
    }

    public async ValueTask<ImConversation?> GetAsync(string userId, string conversationId, CancellationToken cancellationToken = default) =>
        (await store.GetAsync(userId, [conversationId], cancellationToken))[0] is { } conversation ? ToModel(userId, conversation) : null;

    public async ValueTask<long> MarkReadAsync(
        string userId, string conversationId, ConversationSeq seq, CancellationToken cancellationToken = default) =>
        (await marks.MoveAsync(userId, new MarkRead { ConversationId = conversationId, ConversationSeq = seq.Value }, cancellationToken)).Unread;

    public async ValueTask<IReadOnlyList<ImEntry>> ReadHistoryAsync(
        string userId, string conversationId, ConversationSeq? before = null, int limit = 50, CancellationToken cancellationToken = default)
    {
        ThrowIfOutOfRange(limit);
        if (before is { Value: <= 1 })
        {
            return [];
        }

        var page = await history.ReadBeforeAsync(
            userId, conversationId, before?.Value ?? 0, limit, options.Value.MaxPageBytes, cancellationToken);
        return [.. page.Entries.Select(ToModel)];
    }

    public static void ThrowIfOutOfRange(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(limit, MaxLimit);
    }

    private static ImConversation ToModel(string userId, UserConversation conversation) => new()
    {
        ConversationId = conversation.ConversationId,
        Group = conversation.Group,
        PeerId = ConversationId.TryGetParties(conversation.ConversationId, out var first, out var second)
            ? first == userId ? second : first
            : null,
        Head = new ConversationSeq(conversation.Head.Head),
        ReadSeq = conversation.ReadSeq,
        Unread = conversation.Unread,
        MemberCount = conversation.MemberCount,
        LastEntry = conversation.LastEntry is null ? null : ToModel(conversation.LastEntry),
    };

    public static ImEntry ToModel(StoredEntry entry) => new()
    {
        ConversationId = entry.ConversationId,
        Seq = entry.Seq,
        SenderId = entry.SenderId,
        ClientMessageId = entry.ClientMessageId,
        TimeMs = entry.TimeMs,
        Kind = entry.Kind,
        Content = entry.IsGone || entry.Kind != EntryKind.Message ? null : ContentMapping.FromBody(entry.Body),
        IsGone = entry.IsGone,
    };
}
