using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.Options;

namespace Im.Sync;

/// <summary>Answers requests for one page of an inbox or of a conversation's history.</summary>
internal sealed class SyncReader(IMessageStore messages, HistoryReader history, IOptions<ImServerOptions> options)
{
    private readonly ImServerOptions _options = options.Value;

    public async ValueTask<SyncPage> ReadAsync(string userId, Protocol.Sync request, CancellationToken cancellationToken)
    {
        if (request.MaxEntries < 0 || request.MaxBytes < 0)
        {
            throw new ImException(ImErrorCode.InvalidArgument, "sync.maxEntries and sync.maxBytes must not be negative; 0 is the server's limit.");
        }

        var maxEntries = request.MaxEntries == 0 ? _options.MaxPageEntries : Math.Min(request.MaxEntries, _options.MaxPageEntries);
        var maxBytes = request.MaxBytes == 0 ? _options.MaxPageBytes : Math.Min(request.MaxBytes, _options.MaxPageBytes);
        return request.TimelineCase switch
        {
            Protocol.Sync.TimelineOneofCase.Inbox => await ReadInboxAsync(userId, request.Inbox.AfterInboxSeq, maxEntries, maxBytes, cancellationToken),
            Protocol.Sync.TimelineOneofCase.Conversation => await ReadConversationAsync(userId, request.Conversation, maxEntries, maxBytes, cancellationToken),
            _ => throw new ImException(ImErrorCode.InvalidArgument, "sync names no timeline: set inbox or conversation."),
        };
    }

    private async ValueTask<SyncPage> ReadInboxAsync(
        string userId, long after, int maxEntries, int maxBytes, CancellationToken cancellationToken)
    {
        if (after < 0)
        {
            throw new ImException(ImErrorCode.InvalidArgument, "sync.inbox.afterInboxSeq must not be negative.");
        }

        var page = (await messages.ReadInboxesAsync([new InboxRead(userId, new InboxSeq(after), maxEntries)], cancellationToken))[0];
        if (after > page.Head.Head)
        {
            throw new ImException(ImErrorCode.CursorBeyondHead, $"The cursor {after} is beyond the inbox's head {page.Head.Head}.");
        }

        var entries = page.Runs.Count == 0 ? [] : await messages.ReadEntriesAsync(page.Runs, maxBytes, cancellationToken);
        var last = page.First.Value + entries.Count - 1;
        return new SyncPage
        {
            FirstInboxSeq = page.First.Value,
            Entries = { entries.Select(EntryEncoder.ToEntry) },
            HasMore = last < page.Head.Head,
            Head = page.Head.Head,
            Floor = page.Head.Floor,
        };
    }

    private async ValueTask<SyncPage> ReadConversationAsync(
        string userId, SyncConversation request, int maxEntries, int maxBytes, CancellationToken cancellationToken)
    {
        if (request.AfterConversationSeq < 0 || request.BeforeConversationSeq < 0)
        {
            throw new ImException(ImErrorCode.InvalidArgument, "A position of sync.conversation must not be negative.");
        }

        if (request.ConversationId.Length is 0 or > ConversationId.MaxBytes)
        {
            throw new ImException(ImErrorCode.UnknownConversation, "sync.conversation names no conversation.");
        }

        var page = request.PositionCase == SyncConversation.PositionOneofCase.AfterConversationSeq
            ? await history.ReadAfterAsync(userId, request.ConversationId, request.AfterConversationSeq, maxEntries, maxBytes, cancellationToken)
            : await history.ReadBeforeAsync(userId, request.ConversationId, request.BeforeConversationSeq, maxEntries, maxBytes, cancellationToken);
        return new SyncPage
        {
            ConversationId = request.ConversationId,
            Entries = { page.Entries.Select(EntryEncoder.ToEntry) },
            HasMore = page.HasMore,
            Head = page.Head.Head,
            Floor = page.Head.Floor,
        };
    }
}
