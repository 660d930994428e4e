using Im.Connections;
using Im.Fanout;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;

namespace Im.Sync;

/// <summary>Where a device that signs in goes on.</summary>
/// <param name="Generation">The store's generation.</param>
/// <param name="InboxCursor">The inbox goes on after this entry.</param>
/// <param name="InboxHead">The inbox's head as it was read.</param>
/// <param name="Timelines">The conversation timelines it follows, parts of one conversation in order.</param>
/// <param name="Snapshot">What it starts from, if its cursors were not usable.</param>
internal sealed record SignInStart(
    string Generation, long InboxCursor, long InboxHead, IReadOnlyList<OpenedTimeline> Timelines, InboxSnapshot? Snapshot);

/// <summary>Reads what a sign-in needs: are the device's cursors usable, and if not, the snapshot.</summary>
internal sealed class SignInReader(IMessageStore messages, IConversationStore conversations, FanoutStrategies strategies)
{
    /// <summary>Throws <see cref="ImException"/> for a cursor beyond its timeline's head.</summary>
    public async ValueTask<SignInStart> ReadAsync(string userId, SignIn request, CancellationToken cancellationToken)
    {
        var generation = await messages.GetGenerationAsync(cancellationToken);
        if (request.Generation == generation)
        {
            var inbox = (await messages.GetHeadsAsync([TimelineKey.Inbox(userId)], cancellationToken))[0];
            ThrowIfBeyond("inbox", request.InboxCursor, inbox.Head);
            if (inbox.IsUsable(request.InboxCursor)
                && await ReadTimelinesAsync(userId, request, cancellationToken) is { } timelines)
            {
                return new SignInStart(generation, request.InboxCursor, inbox.Head, timelines, null);
            }
        }

        var snapshot = await conversations.GetSnapshotAsync(userId, cancellationToken);
        var opened = snapshot.Conversations
            .Where(conversation => !strategies.Get(conversation.Fanout).WritesInboxes)
            .Select(conversation => new OpenedTimeline(conversation.ConversationId, conversation.Head.Head, conversation.Head.Head, long.MaxValue));
        return new SignInStart(generation, snapshot.Seq.Value, snapshot.Seq.Value, [.. opened], snapshot);
    }

    // Null: a cursor is below what is kept.
    private async ValueTask<IReadOnlyList<OpenedTimeline>?> ReadTimelinesAsync(
        string userId, SignIn request, CancellationToken cancellationToken)
    {
        var known = request.ConversationCursors.ToDictionary(cursor => cursor.ConversationId, cursor => cursor.ConversationSeq, StringComparer.Ordinal);
        var parts = await conversations.GetReadTimelinesAsync(
            userId, [.. known.Keys], new InboxSeq(request.InboxCursor), cancellationToken);
        var opened = new List<OpenedTimeline>(parts.Count);
        foreach (var conversation in parts.GroupBy(part => part.ConversationId, StringComparer.Ordinal))
        {
            var head = conversation.First().Head;
            var isKnown = known.TryGetValue(conversation.Key, out var cursor);
            if (isKnown)
            {
                ThrowIfBeyond(conversation.Key, cursor, head.Head);
            }

            if (!TryAddParts(opened, [.. conversation], isKnown ? cursor : null))
            {
                return null;
            }
        }

        return opened;
    }

    // What the device has not got yet: the rest of the part that its cursor is in, then the later ones; without a cursor all that it has not heard of.
    // False: what follows the device's cursor in the part that it is in is no longer kept.
    private static bool TryAddParts(List<OpenedTimeline> opened, IReadOnlyList<ReadTimeline> parts, long? cursor)
    {
        var before = opened.Count;
        foreach (var part in parts)
        {
            var last = part.Last?.Value ?? long.MaxValue;
            if (last <= cursor)
            {
                continue;
            }

            var isFirst = opened.Count == before;
            if (isFirst && cursor < part.After.Value)
            {
                // An empty part at the cursor: the session tells the device what it passes over.
                opened.Add(new OpenedTimeline(part.ConversationId, cursor.Value, part.Head.Head, cursor.Value));
            }

            var first = Math.Max(part.After.Value, isFirst ? cursor ?? 0 : 0);
            if (first < part.Head.Floor - 1)
            {
                if (isFirst && cursor >= part.After.Value)
                {
                    return false;
                }

                // The device has nothing of this part; of what is forgotten it is told in the same way.
                opened.Add(new OpenedTimeline(part.ConversationId, first, part.Head.Head, first));
                first = Math.Min(part.Head.Floor - 1, last);
            }

            opened.Add(new OpenedTimeline(part.ConversationId, first, part.Head.Head, last));
        }

        if (cursor is not null && opened.Count == before)
        {
            // The device has everything but, as it seems, has not heard yet that the stay is over: should the user return, it goes on from here.
            opened.Add(new OpenedTimeline(parts[0].ConversationId, cursor.Value, parts[0].Head.Head, cursor.Value));
        }

        return true;
    }

    private static void ThrowIfBeyond(string timeline, long cursor, long head)
    {
        if (cursor > head)
        {
            throw new ImException(
                ImErrorCode.CursorBeyondHead, $"The cursor {cursor} of {timeline} is beyond its head {head}; sign in without a generation to start anew.");
        }
    }
}
