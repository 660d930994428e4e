using Im.Model;
using Im.Timelines;
using static Im.Storage.ConversationChange;

namespace Im.Storage.InMemory;

/// <summary>One append, run under the state's lock.</summary>
/// <remarks>
/// Everything that can be wrong with the batch is found before the first change, so there is nothing to roll back. The order inside:
/// proposed heads; then for each item claim, version, does it change anything, number, append, apply; at last the inbox chunks.
/// </remarks>
internal sealed class InMemoryAppend(InMemoryState state, AppendBatch batch)
{
    private readonly ConversationState?[] _conversations = new ConversationState?[batch.Timelines.Count];
    private readonly UserState?[] _users = new UserState?[batch.Timelines.Count];
    private readonly GroupChanges _changes = new(state);

    public AppendResult Run()
    {
        var heads = new long[_conversations.Length];
        var ordinals = new long[_conversations.Length];
        if (!FindTimelines(heads, ordinals))
        {
            return new AppendResult { Committed = false, Heads = heads };
        }

        var numbering = new BatchNumbering(batch, heads, ordinals);
        state.LastCommit++;
        state.LastBatches[batch.NodeName] = batch.BatchNumber;
        state.Sent.Trim();
        var results = new AppendItemResult[batch.Items.Count];
        for (var i = 0; i < results.Length; i++)
        {
            results[i] = AppendItem(numbering, i);
        }

        var numbered = numbering.Complete();
        AppendChunks(numbered);
        return new AppendResult
        {
            Committed = true,
            Heads = numbered.Heads,
            Items = results,
            Runs = numbered.Runs,
            Classes = numbered.Classes,
        };
    }

    private bool FindTimelines(long[] heads, long[] ordinals)
    {
        var fresh = true;
        var proposed = batch.ProposedHeads.Span;
        for (var i = 0; i < heads.Length; i++)
        {
            var timeline = batch.Timelines[i];
            if (timeline.Kind == TimelineKind.Inbox)
            {
                if (state.Users.TryGetValue(timeline.Id, out _users[i]))
                {
                    heads[i] = _users[i]!.Head;
                }
            }
            else if (state.Conversations.TryGetValue(timeline.Id, out _conversations[i]))
            {
                heads[i] = _conversations[i]!.Head;
                ordinals[i] = _conversations[i]!.Ordinal;
            }

            fresh &= proposed[i] == ISequenceAllocator.Unknown || proposed[i] == heads[i];
        }

        return fresh;
    }

    private AppendItemResult AppendItem(BatchNumbering numbering, int index)
    {
        var item = batch.Items[index];
        var key = new SentKey(item.SenderId, item.ClientMessageId);
        if (state.Sent.TryGet(key, out var sent))
        {
            return sent.Hash == item.Hash
                ? new(AppendOutcome.Duplicate, sent.ConversationId, sent.Seq, sent.Ordinal, sent.TimeMs, VersionOf(sent.ConversationId))
                : NotStored(AppendOutcome.ClientIdReused, item, VersionOf(item.ConversationId));
        }

        ref var place = ref _conversations[numbering.TimelineOf(index)];
        var version = place?.Version ?? 0;
        var mustExist = item.Change is not CreateGroup && ConversationId.IsGroup(item.ConversationId);
        if (item.ExpectedVersion != version || (mustExist && place is null) || (item.Change is CreateGroup && place is not null))
        {
            return NotStored(AppendOutcome.StaleVersion, item, version);
        }

        MemberState? reader = null;
        ConversationSeq mark = default;
        if (item.Change is MoveReadMark move)
        {
            reader = FindReader(item, move);
            mark = reader is null ? default : Min(move.Seq, new ConversationSeq(reader.Conversation.Head));
            if (reader is null || mark <= reader.ReadSeq)
            {
                return NotStored(AppendOutcome.Unchanged, item, version) with
                {
                    Seq = reader?.ReadSeq ?? default,
                    Ordinal = reader?.Unread ?? 0,
                };
            }
        }
        else if (item.Change is not null && !_changes.Prepare(place, item.Change))
        {
            return NotStored(AppendOutcome.Unchanged, item, version);
        }

        var (seq, ordinal) = numbering.Append(index);
        var conversation = place ??= Create(item);
        conversation.Append(item.ToEntry(seq, ordinal));
        if (reader is not null)
        {
            reader.Read(mark, reader.Conversation.OrdinalAt(mark.Value));
            ordinal = reader.Unread;
        }
        else if (item.Change is not null)
        {
            _changes.Apply(conversation, item.Change, seq, ordinal);
        }
        else if (item is { Kind: EntryKind.Message, IsImported: false } && conversation.Members.TryGetValue(item.SenderId, out var sender))
        {
            sender.Sent(ordinal);
        }

        state.Sent.Claim(key, new SentRecord(conversation.Id, seq, ordinal, item.TimeMs, item.Hash));
        return new(AppendOutcome.Stored, conversation.Id, seq, ordinal, item.TimeMs, conversation.Version);
    }

    /// <summary>The member whose mark moves: the own conversation's user in another conversation, where present.</summary>
    private MemberState? FindReader(AppendItem item, MoveReadMark move)
    {
        var userId = item.ConversationId["o:".Length..];
        return state.Conversations.TryGetValue(move.ConversationId, out var conversation)
            && !conversation.IsOwn
            && conversation.Members.TryGetValue(userId, out var member)
            && member.IsPresent
            ? member
            : null;
    }

    private ConversationState Create(AppendItem item)
    {
        var conversation = new ConversationState(item.ConversationId);
        state.Conversations.Add(conversation.Id, conversation);
        state.ConversationIds.Add(conversation.Id);
        if (!ConversationId.IsGroup(conversation.Id))
        {
            // Unlike a group's join entry the first entry here may be a message, which the receiver has not read: the ordinal before it.
            conversation.Join(state, [.. item.GetFirstMembers()], new ConversationSeq(1), ordinal: 0);
        }

        return conversation;
    }

    private void AppendChunks(NumberedBatch numbered)
    {
        var heads = numbered.Heads.Span;
        var timeMs = batch.TimeMs;
        for (var c = 0; c < numbered.Classes.Count; c++)
        {
            var runs = numbered.Classes[c].Runs;
            foreach (var timeline in numbered.TimelinesOf(c))
            {
                (_users[timeline] ?? state.GetOrAddUser(batch.Timelines[timeline].Id)).AppendChunk(runs, heads[timeline], state.LastCommit, timeMs);
            }
        }
    }

    private long VersionOf(string conversationId) =>
        state.Conversations.TryGetValue(conversationId, out var conversation) ? conversation.Version : 0;

    private static AppendItemResult NotStored(AppendOutcome outcome, AppendItem item, long version) =>
        new(outcome, item.ConversationId, default, 0, item.TimeMs, version);

    private static ConversationSeq Min(ConversationSeq left, ConversationSeq right) => left < right ? left : right;
}
