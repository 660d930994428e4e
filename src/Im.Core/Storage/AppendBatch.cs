using Im.Model;
using Im.Timelines;
using static Im.Storage.ConversationChange;

namespace Im.Storage;

/// <summary>What one commit is to append: items in order, without seqs; the store numbers what it claims.</summary>
public sealed class AppendBatch
{
    /// <summary>The node that appends; with <see cref="BatchNumber"/> it names the commit for ever.</summary>
    public required string NodeName { get; init; }

    /// <summary>Rises by one with each batch of the node's life; a batch that is proposed again keeps its number.</summary>
    public required long BatchNumber { get; init; }

    /// <summary>Messages and changes in the order in which they are to be numbered.</summary>
    public required IReadOnlyList<AppendItem> Items { get; init; }

    /// <summary>Every timeline that the items touch: the conversations, then the inboxes of all audiences; each once.</summary>
    public required IReadOnlyList<TimelineKey> Timelines { get; init; }

    /// <summary>
    /// The heads that the committer expects, in the order of <see cref="Timelines"/>; <see cref="ISequenceAllocator.Unknown"/> = any.
    /// </summary>
    public required ReadOnlyMemory<long> ProposedHeads { get; init; }

    /// <summary>The newest time of its items: how old the inbox chunks are that it makes.</summary>
    public long TimeMs => Items.Count == 0 ? 0 : Items.Max(item => item.TimeMs);

    /// <summary>Refuses what no store can append, whatever its state. Each store calls it first.</summary>
    /// <exception cref="ArgumentException">A head, a conversation id or a change that cannot be.</exception>
    public void Validate()
    {
        if (ProposedHeads.Length != Timelines.Count)
        {
            throw new ArgumentException("A batch proposes a head for each of its timelines.");
        }

        foreach (var item in Items)
        {
            var isGroup = ConversationId.IsGroup(item.ConversationId);
            var isOwn = ConversationId.IsOwn(item.ConversationId);
            if (!isGroup && !isOwn && !item.ConversationId.StartsWith("d:", StringComparison.Ordinal))
            {
                throw new ArgumentException($"'{item.ConversationId}' is not a conversation id.");
            }

            var fits = item.Change switch
            {
                null => true,
                MoveReadMark => isOwn,
                _ => isGroup,
            };
            if (!fits)
            {
                throw new ArgumentException($"{item.Change!.GetType().Name} does not belong into {item.ConversationId}.");
            }
        }
    }
}
