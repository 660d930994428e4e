using System.Runtime.InteropServices;
using Im.Timelines;

namespace Im.Storage;

/// <summary>
/// Numbers the entries of one batch, inside the transaction that appends them: seqs, ordinals, runs, delivery classes and new heads.
/// </summary>
/// <remarks>
/// <para>The adapter reads the true heads, then decides item by item (claimed, right version, a change that changes something) and calls
/// <see cref="Append"/> for each item that is stored, in the batch's order; then <see cref="Complete"/> once. What is wrong with a batch is
/// thrown by the constructor; after it nothing fails.</para>
/// <para>Nothing is done per member and message. A class is the set of audiences that its users stand in:</para>
/// <code>
/// audience 1: a b c      class {1}: a      gets the runs of 1
/// audience 2:   b c d    class {1,2}: b c  gets those of 1 and 2, merged where they continue each other
///                        class {2}: d      gets those of 2
/// </code>
/// <para>In a chunk the entries of one conversation stand together, conversations in the order of their first entries in the batch.
/// Not safe for several threads.</para>
/// </remarks>
public sealed class BatchNumbering
{
    private readonly AppendBatch _batch;
    private readonly long[] _trueHeads;
    private readonly long[] _heads;
    private readonly long[] _ordinals;

    // By item: where its conversation stands in the timelines, and which audience it has (−1 = nobody).
    private readonly int[] _itemTimelines;
    private readonly int[] _itemAudiences;

    // By timeline: the place of a conversation among those that got entries, from 1; 0 = none yet. _touched is the way back.
    private readonly int[] _ranks;
    private readonly List<int> _touched = [];
    private readonly List<AudienceSlot> _audiences = [];
    private int _next;

    /// <summary>Begins to number a batch whose timelines have the given true heads and ordinals, in the order of its timelines.</summary>
    /// <exception cref="ArgumentException">An item's conversation or an inbox of its audience is missing from the timelines.</exception>
    public BatchNumbering(AppendBatch batch, ReadOnlySpan<long> heads, ReadOnlySpan<long> ordinals)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (heads.Length != batch.Timelines.Count || ordinals.Length != heads.Length)
        {
            throw new ArgumentException("Heads and ordinals must be given for each of the batch's timelines.", nameof(heads));
        }

        _batch = batch;
        _trueHeads = heads.ToArray();
        _heads = heads.ToArray();
        _ordinals = ordinals.ToArray();
        _ranks = new int[heads.Length];
        _itemTimelines = new int[batch.Items.Count];
        _itemAudiences = new int[batch.Items.Count];
        Resolve(new BatchTimelines(batch.Timelines));
    }

    /// <summary>Where the conversation of an item stands in the batch's timelines.</summary>
    public int TimelineOf(int item) => _itemTimelines[item];

    /// <summary>Numbers an item that is stored. Items come in the batch's order; those left out get no number.</summary>
    public NumberedItem Append(int item)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(item, _next);
        _next = item + 1;
        var timeline = _itemTimelines[item];
        if (_ranks[timeline] == 0)
        {
            _touched.Add(timeline);
            _ranks[timeline] = _touched.Count;
        }

        var seq = ++_heads[timeline];
        if (_batch.Items[item].CountsAsUnread)
        {
            _ordinals[timeline]++;
        }

        if (_itemAudiences[item] >= 0)
        {
            _audiences[_itemAudiences[item]].Add(_ranks[timeline], seq);
        }

        return new NumberedItem(new ConversationSeq(seq), _ordinals[timeline]);
    }

    /// <summary>The runs, classes and heads of everything that was appended. Called once, after the last item.</summary>
    public NumberedBatch Complete()
    {
        _next = int.MaxValue;
        var runs = new Run[_touched.Count];
        for (var i = 0; i < runs.Length; i++)
        {
            var timeline = _touched[i];
            runs[i] = new Run(
                _batch.Timelines[timeline].Id,
                new ConversationSeq(_trueHeads[timeline] + 1),
                (int)(_heads[timeline] - _trueHeads[timeline]));
        }

        _audiences.RemoveAll(static slot => slot.Pieces.Count == 0);
        AppendedClass[] classes;
        int[][] classTimelines;
        if (_audiences.Count == 1)
        {
            var only = _audiences[0];
            classes = [MakeClass(only.Pieces, ImmutableCollectionsMarshal.AsArray(only.Audience.UserIds)!, only.Timelines)];
            classTimelines = [only.Timelines];
        }
        else
        {
            (classes, classTimelines) = Divide();
        }

        return new NumberedBatch(runs, classes, classTimelines, _heads, _ordinals);
    }

    private void Resolve(BatchTimelines timelines)
    {
        var known = new Dictionary<Audience, int>();
        string? lastConversation = null;
        var lastTimeline = -1;
        Audience? lastAudience = null;
        var lastSlot = -1;
        for (var i = 0; i < _itemTimelines.Length; i++)
        {
            var item = _batch.Items[i];
            if (!string.Equals(item.ConversationId, lastConversation, StringComparison.Ordinal))
            {
                lastConversation = item.ConversationId;
                lastTimeline = timelines.OfConversation(lastConversation);
            }

            if (!ReferenceEquals(item.Audience, lastAudience))
            {
                lastAudience = item.Audience;
                if (!known.TryGetValue(lastAudience, out lastSlot))
                {
                    lastSlot = -1;
                    if (!lastAudience.UserIds.IsDefaultOrEmpty)
                    {
                        lastSlot = _audiences.Count;
                        _audiences.Add(new AudienceSlot(lastAudience, timelines.OfInboxes(lastAudience.UserIds)));
                    }

                    known.Add(lastAudience, lastSlot);
                }
            }

            _itemTimelines[i] = lastTimeline;
            _itemAudiences[i] = lastSlot;
        }
    }

    /// <summary>Divides the inboxes of several audiences into classes, audience by audience, each inbox once per audience.</summary>
    private (AppendedClass[] Classes, int[][] Timelines) Divide()
    {
        // Class 0 is nobody's. An inbox in class c that stands in audience a goes to the one class that c ∩ a becomes.
        var nodes = new List<ClassNode> { new() { Audience = -1, Splitter = -1 } };
        var classOf = new int[_heads.Length];
        for (var audience = 0; audience < _audiences.Count; audience++)
        {
            foreach (var timeline in _audiences[audience].Timelines)
            {
                var from = classOf[timeline];
                if (nodes[from].Audience == audience)
                {
                    continue;
                }

                if (nodes[from].Splitter != audience)
                {
                    CollectionsMarshal.AsSpan(nodes)[from].Splitter = audience;
                    CollectionsMarshal.AsSpan(nodes)[from].Split = nodes.Count;
                    nodes.Add(new ClassNode { Parent = from, Audience = audience, Splitter = -1 });
                }

                var span = CollectionsMarshal.AsSpan(nodes);
                var to = span[from].Split;
                classOf[timeline] = to;
                span[from].Users--;
                span[to].Users++;
            }
        }

        return Collect(CollectionsMarshal.AsSpan(nodes), classOf);
    }

    private (AppendedClass[] Classes, int[][] Timelines) Collect(Span<ClassNode> nodes, int[] classOf)
    {
        var count = 0;
        for (var c = 1; c < nodes.Length; c++)
        {
            nodes[c].Class = nodes[c].Users > 0 ? count++ : -1;
        }

        var timelines = new int[count][];
        var users = new string[count][];
        for (var c = 1; c < nodes.Length; c++)
        {
            if (nodes[c].Class >= 0)
            {
                timelines[nodes[c].Class] = new int[nodes[c].Users];
                users[nodes[c].Class] = new string[nodes[c].Users];
                nodes[c].Users = 0;
            }
        }

        for (var timeline = 0; timeline < classOf.Length; timeline++)
        {
            if (classOf[timeline] != 0)
            {
                ref var node = ref nodes[classOf[timeline]];
                timelines[node.Class][node.Users] = timeline;
                users[node.Class][node.Users++] = _batch.Timelines[timeline].Id;
            }
        }

        var classes = new AppendedClass[count];
        var pieces = new List<Piece>();
        for (var c = 1; c < nodes.Length; c++)
        {
            if (nodes[c].Class < 0)
            {
                continue;
            }

            pieces.Clear();
            for (var at = c; at != 0; at = nodes[at].Parent)
            {
                pieces.AddRange(_audiences[nodes[at].Audience].Pieces);
            }

            classes[nodes[c].Class] = MakeClass(pieces, users[nodes[c].Class], timelines[nodes[c].Class]);
        }

        return (classes, timelines);
    }

    private AppendedClass MakeClass(List<Piece> pieces, string[] users, int[] timelines)
    {
        if (pieces.Count > 1)
        {
            pieces.Sort(static (x, y) => x.Rank != y.Rank ? x.Rank.CompareTo(y.Rank) : x.First.CompareTo(y.First));
        }

        var runs = new List<Run>(pieces.Count);
        long entries = 0;
        for (var i = 0; i < pieces.Count; i++)
        {
            var piece = pieces[i];
            while (i + 1 < pieces.Count && pieces[i + 1].Rank == piece.Rank && pieces[i + 1].First == piece.First + piece.Count)
            {
                piece.Count += pieces[++i].Count;
            }

            runs.Add(new Run(_batch.Timelines[_touched[piece.Rank - 1]].Id, new ConversationSeq(piece.First), piece.Count));
            entries += piece.Count;
        }

        var firstSeqs = new long[timelines.Length];
        for (var i = 0; i < timelines.Length; i++)
        {
            ref var head = ref _heads[timelines[i]];
            firstSeqs[i] = head + 1;
            head += entries;
        }

        return new AppendedClass(runs.ToArray(), users, firstSeqs);
    }

    private struct ClassNode
    {
        public int Parent;
        public int Audience;
        public int Splitter;
        public int Split;
        public int Users;
        public int Class;
    }
}
