using System.Runtime.InteropServices;
using Im.Cluster;
using Im.Diagnostics;
using Im.Model;
using Im.Storage;
using Im.Sync;
using Im.Timelines;
using Microsoft.Extensions.Logging;

namespace Im.Messaging;

/// <summary>What follows a commit of this node: answers to the senders, then each class's payload to its sessions here and on the other nodes.</summary>
/// <remarks>
/// Called by the committer, batch after batch in commit order. Entries are encoded once for each codec and each is shared by all who get it. Nothing
/// here waits: what concerns other nodes is queued.
/// </remarks>
internal sealed class Delivery(LocalDelivery local, ClusterSender cluster, AfterCommit afterCommit, ILogger<Delivery> logger)
{
    /// <summary>Delivers a batch that was committed.</summary>
    public void Deliver(Batch batch)
    {
        var result = batch.Result!;
        CommittedRuns committed;
        try
        {
            committed = Describe(batch, result);
            local.FollowMemberships(committed);
        }
        finally
        {
            // Whatever else fails: what is committed is answered.
            Answer(batch, result);
        }

        local.Deliver(committed);
        cluster.Send(committed);
        if (afterCommit.IsWanted)
        {
            afterCommit.Enqueue(CollectNotices(batch, result));
        }
    }

    /// <summary>A batch may be committed, and nobody is told: the other nodes are to look for it as this one does.</summary>
    public void Doubt() => cluster.Lost();

    private static CommittedRuns Describe(Batch batch, AppendResult result)
    {
        var runs = Encode(batch, result, out var indices, out var read);
        return new CommittedRuns(runs, [.. result.Classes.Select(one => ToClass(one, runs, indices))], read, [.. FindMoves(batch, result)]);
    }

    private static IEnumerable<MembershipMove> FindMoves(Batch batch, AppendResult result)
    {
        for (var i = 0; i < batch.Items.Count; i++)
        {
            if (batch.Items[i] is PendingChange { Change: not ConversationChange.MoveReadMark } change && result.Items[i].Outcome == AppendOutcome.Stored)
            {
                yield return new MembershipMove(change.ConversationId, result.Items[i].Version, result.Items[i].Seq, change.Opens, change.Closes);
            }
        }
    }

    private static CommittedClass ToClass(AppendedClass appended, List<EncodedRun> runs, Dictionary<string, int> indices)
    {
        var parts = new CommittedPart[appended.Runs.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            var run = appended.Runs[i];
            var index = indices[run.ConversationId];
            parts[i] = new CommittedPart(index, (int)(run.First - runs[index].Run.First), run.Count);
        }

        return new CommittedClass(parts, appended.UserIds, appended.FirstSeqs);
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

    // In one batch the stored entries of one conversation follow each other: one run, encoded once. Whoever follows the conversation's own timeline is
    // offered what may not have come through the inboxes: a group's messages without an audience, and its changes but for a switch, which is in every inbox.
    private static List<EncodedRun> Encode(Batch batch, AppendResult result, out Dictionary<string, int> indices, out List<int> read)
    {
        indices = new Dictionary<string, int>(StringComparer.Ordinal);
        var entries = new List<List<StoredEntry>>();
        var isRead = new List<bool>();
        for (var i = 0; i < batch.AppendItems.Count; i++)
        {
            if (result.Items[i].Outcome != AppendOutcome.Stored)
            {
                continue;
            }

            var item = batch.AppendItems[i];
            ref var index = ref CollectionsMarshal.GetValueRefOrAddDefault(indices, item.ConversationId, out var exists);
            if (!exists)
            {
                index = entries.Count;
                entries.Add([]);
                isRead.Add(false);
            }

            entries[index].Add(item.ToEntry(result.Items[i].Seq, OrdinalOf(item, result.Items[i])));
            isRead[index] |= ConversationId.IsGroup(item.ConversationId) && (item.Audience.UserIds.Length == 0 || item.Change is not (null or ConversationChange.SwitchFanout));
        }

        read = [.. Enumerable.Range(0, isRead.Count).Where(i => isRead[i])];
        return entries.ConvertAll(list => EncodedRun.Create(CollectionsMarshal.AsSpan(list)));
    }

    // A moved mark's result tells the unread count instead; it stands in the user's own conversation, which counts no messages.
    private static long OrdinalOf(AppendItem item, AppendItemResult result) =>
        item.Kind == EntryKind.ReadMarkMoved ? 0 : result.Ordinal;

    private StoredMessages CollectNotices(Batch batch, AppendResult result)
    {
        var messages = new List<InterceptedMessage>();
        var notices = new List<MemberNotice>();
        var large = new List<LargeGroupMessage>();
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

            // Who is offline is found later, on all nodes; who the members are now may be others already.
            notices.Add(new MemberNotice(message.ConversationId, result.Items[i].Seq.Value, message.SenderId, stored.Content, message.Members));
        }

        return new StoredMessages(messages, notices, large);
    }
}
