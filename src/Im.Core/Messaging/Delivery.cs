using System.Buffers;
using System.Runtime.InteropServices;
using Im.Connections;
using Im.Diagnostics;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Sync;
using Im.Timelines;
using Microsoft.Extensions.Logging;

namespace Im.Messaging;

/// <summary>What follows a commit on this node: answers to the senders, then each class's payload to its sessions.</summary>
/// <remarks>
/// Called by the committer, batch after batch in commit order. Entries are encoded once for each codec, a payload is shared by a class, and a session
/// only queues a reference: per recipient there is one look-up and one short lock. Nothing here waits.
/// </remarks>
internal sealed class Delivery(
    SessionRegistry sessions,
    ConversationReaders readers,
    RecentEntries recent,
    AfterCommit afterCommit,
    ImMetrics metrics,
    ILogger<Delivery> logger)
{
    /// <summary>Delivers a batch that was committed.</summary>
    public void Deliver(Batch batch)
    {
        var result = batch.Result!;
        try
        {
            FollowMemberships(batch, result);
        }
        finally
        {
            // Whatever else fails: what is committed is answered.
            Answer(batch, result);
        }

        var runs = Encode(batch, result);
        foreach (var deliveryClass in result.Classes)
        {
            DeliverToInboxes(deliveryClass, runs);
        }

        foreach (var run in runs.Values)
        {
            DeliverToReaders(run);
        }

        if (afterCommit.IsWanted)
        {
            afterCommit.Enqueue(CollectNotices(batch, result));
        }
    }

    // Sessions begin and cease to follow conversation timelines at the change's place, before anything later is offered.
    private void FollowMemberships(Batch batch, AppendResult result)
    {
        for (var i = 0; i < batch.Items.Count; i++)
        {
            if (batch.Items[i] is not PendingChange change || result.Items[i].Outcome != AppendOutcome.Stored)
            {
                continue;
            }

            if (change.Opens.Count > 0 || change.Closes.Count > 0)
            {
                FollowMembership(change, result.Items[i].Seq, result.Classes);
            }
        }
    }

    // The change's entry stands in the inboxes of all whom it concerns, and a session that is signing in needs to know where.
    private void FollowMembership(PendingChange change, ConversationSeq seq, IReadOnlyList<AppendedClass> classes)
    {
        var opens = change.Opens.ToHashSet(StringComparer.Ordinal);
        var closes = change.Closes.ToHashSet(StringComparer.Ordinal);
        foreach (var deliveryClass in classes)
        {
            if (FindOffset(deliveryClass.Runs, change.ConversationId, seq) is not { } offset)
            {
                continue;
            }

            var firstSeqs = deliveryClass.FirstSeqs.Span;
            for (var i = 0; i < firstSeqs.Length; i++)
            {
                var userId = deliveryClass.UserIds[i];
                var place = new InboxSeq(firstSeqs[i] + offset);
                if (opens.Contains(userId))
                {
                    foreach (var session in sessions.Get(userId))
                    {
                        session.OpenTimeline(change.ConversationId, seq, place);
                    }
                }
                else if (closes.Contains(userId))
                {
                    foreach (var session in sessions.Get(userId))
                    {
                        session.CloseTimeline(change.ConversationId, new ConversationSeq(seq.Value - 1), place);
                    }
                }
            }
        }
    }

    private static long? FindOffset(IReadOnlyList<Run> runs, string conversationId, ConversationSeq seq)
    {
        var offset = 0L;
        foreach (var run in runs)
        {
            if (run.ConversationId == conversationId && run.First <= seq && seq <= run.Last)
            {
                return offset + (seq - run.First);
            }

            offset += run.Count;
        }

        return null;
    }

    private void Answer(Batch batch, AppendResult result)
    {
        for (var i = 0; i < batch.Items.Count; i++)
        {
            if (batch.IsRetried(i))
            {
                continue;
            }

            try
            {
                batch.Items[i].Answer(result.Items[i]);
            }
            catch (Exception exception)
            {
                // It is stored; a resend gets the same answer. The others get theirs.
                Log.AnswerFailed(logger, batch.Number, exception);
            }
        }
    }

    // In one batch the stored entries of one conversation follow each other: one run, encoded once.
    private Dictionary<string, EncodedRun> Encode(Batch batch, AppendResult result)
    {
        var entries = new Dictionary<string, List<StoredEntry>>(StringComparer.Ordinal);
        for (var i = 0; i < batch.AppendItems.Count; i++)
        {
            if (result.Items[i].Outcome == AppendOutcome.Stored)
            {
                ref var list = ref CollectionsMarshal.GetValueRefOrAddDefault(entries, batch.AppendItems[i].ConversationId, out _);
                (list ??= []).Add(batch.AppendItems[i].ToEntry(result.Items[i].Seq, OrdinalOf(batch.AppendItems[i], result.Items[i])));
            }
        }

        var runs = new Dictionary<string, EncodedRun>(entries.Count, StringComparer.Ordinal);
        foreach (var (conversationId, list) in entries)
        {
            var run = EncodedRun.Create(CollectionsMarshal.AsSpan(list));
            runs.Add(conversationId, run);
            recent.Add(run);
        }

        return runs;
    }

    // A moved mark's result tells the unread count instead; it stands in the user's own conversation, which counts no messages.
    private static long OrdinalOf(AppendItem item, AppendItemResult result) =>
        item.Kind == EntryKind.ReadMarkMoved ? 0 : result.Ordinal;

    private void DeliverToInboxes(AppendedClass deliveryClass, Dictionary<string, EncodedRun> encoded)
    {
        var slices = new RunSlice[deliveryClass.Runs.Count];
        for (var i = 0; i < slices.Length; i++)
        {
            var run = deliveryClass.Runs[i];
            var whole = encoded[run.ConversationId];
            slices[i] = new RunSlice(whole, (int)(run.First - whole.Run.First), run.Count);
        }

        var payload = new PushPayload(slices);
        var firstSeqs = deliveryClass.FirstSeqs.Span;
        var delivered = 0L;
        for (var i = 0; i < firstSeqs.Length; i++)
        {
            foreach (var session in sessions.Get(deliveryClass.UserIds[i]))
            {
                Offer(session, null, firstSeqs[i], payload);
                delivered += payload.Count;
            }
        }

        metrics.Delivered(delivered);
    }

    private void DeliverToReaders(EncodedRun run)
    {
        if (readers.Rent(run.Run.ConversationId, out var count) is not { } rented)
        {
            return;
        }

        var payload = new PushPayload(run);
        foreach (var session in rented.AsSpan(0, count))
        {
            Offer(session, run.Run.ConversationId, run.Run.First.Value, payload);
        }

        ArrayPool<Session>.Shared.Return(rented, clearArray: true);
        metrics.Delivered((long)payload.Count * count);
    }

    // One session's failure is its own: it is closed, and catches up when it comes back.
    private void Offer(Session session, string? conversationId, long first, PushPayload payload)
    {
        try
        {
            if (conversationId is null)
            {
                session.Offer(new InboxSeq(first), payload);
            }
            else
            {
                session.Offer(conversationId, new ConversationSeq(first), payload);
            }
        }
        catch (Exception exception)
        {
            Log.OfferFailed(logger, session.Connection.Id, exception);
            session.Connection.Close(ImCloseCode.InternalError, "Your entries could not be queued; sign in again.");
        }
    }

    private StoredMessages CollectNotices(Batch batch, AppendResult result)
    {
        var messages = new List<InterceptedMessage>();
        var notices = new List<OfflineNotice>();
        var large = new List<LargeGroupMessage>();
        var offline = new Dictionary<string, string[]>(StringComparer.Ordinal);
        for (var i = 0; i < batch.Items.Count; i++)
        {
            if (batch.Items[i] is not PendingMessage { IsImported: false } message || result.Items[i].Outcome != AppendOutcome.Stored)
            {
                continue;
            }

            var stored = Interceptors.Describe(message);
            messages.Add(stored);
            if (!afterCommit.WantsNotices)
            {
                continue;
            }

            if (message.Members.IsDefault)
            {
                large.Add(new LargeGroupMessage(message.ConversationId, result.Items[i].Seq, message.SenderId, stored.Content));
                continue;
            }

            // Who is offline is found once for a conversation and batch: its messages in one batch have the same members, and who they are now
            // may be others already.
            ref var absent = ref CollectionsMarshal.GetValueRefOrAddDefault(offline, message.ConversationId, out _);
            absent ??= [.. message.Members.Where(userId => !sessions.IsOnline(userId))];
            var recipients = absent.Contains(message.SenderId) ? [.. absent.Where(userId => userId != message.SenderId)] : absent;
            if (recipients.Length > 0)
            {
                notices.Add(new OfflineNotice(message.ConversationId, result.Items[i].Seq.Value, message.SenderId, stored.Content, recipients));
            }
        }

        return new StoredMessages(messages, notices, large);
    }
}
