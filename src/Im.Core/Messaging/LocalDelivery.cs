using System.Buffers;
using Im.Connections;
using Im.Diagnostics;
using Im.Protocol;
using Im.Sync;
using Im.Timelines;
using Microsoft.Extensions.Logging;

namespace Im.Messaging;

/// <summary>Offers a commit to the sessions of this node, wherever it was made.</summary>
/// <remarks>
/// A payload is shared by a class, and a session only queues a reference: per recipient there is one look-up and one short lock. Nothing here waits.
/// Called by the committer for this node's commits and by the receiver for the others'; a session puts in order what arrives from both.
/// </remarks>
internal sealed class LocalDelivery(
    SessionRegistry sessions, ConversationReaders readers, RecentEntries recent, ImMetrics metrics, ILogger<LocalDelivery> logger)
{
    /// <summary>Delivers a commit; <see cref="FollowMemberships"/> comes first.</summary>
    public void Deliver(CommittedRuns committed)
    {
        foreach (var run in committed.Runs)
        {
            recent.Add(run);
        }

        foreach (var deliveryClass in committed.Classes)
        {
            DeliverToInboxes(deliveryClass, committed.Runs);
        }

        foreach (var index in committed.Read)
        {
            DeliverToReaders(committed.Runs[index]);
        }
    }

    /// <summary>Sessions begin and cease to follow conversation timelines at the change's place, before anything later is offered.</summary>
    public void FollowMemberships(CommittedRuns committed)
    {
        foreach (var move in committed.Moves)
        {
            if (committed.Classes.Count == 0)
            {
                EndEarly(move);
            }
            else if (move.Opens.Count > 0 || move.Closes.Count > 0)
            {
                FollowMembership(move, committed);
            }
        }
    }

    // Told to all nodes: whoever is no member any more gets nothing that comes after, also where what was told to this node alone is lost.
    private void EndEarly(MembershipMove move)
    {
        foreach (var userId in move.Closes)
        {
            foreach (var session in sessions.Get(userId))
            {
                session.EndEarly(move.ConversationId, new ConversationSeq(move.Seq.Value - 1));
            }
        }
    }

    // The change's entry stands in the inboxes of all whom it concerns, whose order says whether changes came as they happened.
    private void FollowMembership(MembershipMove move, CommittedRuns committed)
    {
        var opens = move.Opens.ToHashSet(StringComparer.Ordinal);
        var closes = move.Closes.ToHashSet(StringComparer.Ordinal);
        foreach (var deliveryClass in committed.Classes)
        {
            if (!HasEntry(deliveryClass, committed.Runs, move))
            {
                continue;
            }

            var firstSeqs = deliveryClass.FirstSeqs.Span;
            for (var i = 0; i < firstSeqs.Length; i++)
            {
                var userId = deliveryClass.UserIds[i];
                var chunk = new InboxSeq(firstSeqs[i]);
                if (opens.Contains(userId))
                {
                    foreach (var session in sessions.Get(userId))
                    {
                        session.OpenTimeline(move.ConversationId, move.Seq, chunk);
                        NoticeLater(session, move.ConversationId);
                    }
                }
                else if (closes.Contains(userId))
                {
                    foreach (var session in sessions.Get(userId))
                    {
                        session.CloseTimeline(move.ConversationId, new ConversationSeq(move.Seq.Value - 1), chunk);
                    }
                }
            }
        }
    }

    // What another node has committed after the change may have come before it, when the session did not follow the conversation yet.
    private void NoticeLater(Session session, string conversationId)
    {
        if (recent.FindHead(conversationId) is > 0 and var head)
        {
            session.NoticeHead(TimelineKey.Conversation(conversationId), head);
        }
    }

    private static bool HasEntry(CommittedClass deliveryClass, IReadOnlyList<EncodedRun> runs, MembershipMove move)
    {
        foreach (var part in deliveryClass.Parts)
        {
            var run = runs[part.Run].Run;
            var first = run.First.Value + part.Skip;
            if (run.ConversationId == move.ConversationId && first <= move.Seq.Value && move.Seq.Value < first + part.Count)
            {
                return true;
            }
        }

        return false;
    }

    private void DeliverToInboxes(CommittedClass deliveryClass, IReadOnlyList<EncodedRun> runs)
    {
        var slices = new RunSlice[deliveryClass.Parts.Count];
        for (var i = 0; i < slices.Length; i++)
        {
            var part = deliveryClass.Parts[i];
            slices[i] = new RunSlice(runs[part.Run], part.Skip, part.Count);
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
}
