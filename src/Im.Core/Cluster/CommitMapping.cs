using Google.Protobuf;
using Im.Cluster.Wire;
using Im.Messaging;
using Im.Sync;
using Im.Timelines;

namespace Im.Cluster;

/// <summary>Commits to and from what nodes send each other. A run's entries are in a message once, whoever they are for.</summary>
internal static class CommitMapping
{
    private const int MaxClosesToAll = 1000;

    /// <summary>Adds what the nodes with recipients get, and what all get.</summary>
    public static void Add(CommittedRuns committed, UserPlaces places, Dictionary<string, NodeMessage> byNode, NodeMessage toAll)
    {
        var builders = new Dictionary<string, CommitBuilder>(StringComparer.Ordinal);
        foreach (var one in committed.Classes)
        {
            AddClass(one, committed, places, builders);
        }

        foreach (var (nodeName, builder) in builders)
        {
            builder.AddMoves();
            Get(byNode, nodeName).Commits.Add(builder.Commit);
        }

        if (committed.Read.Count > 0 || committed.Moves.Count > 0)
        {
            var all = new CommitBuilder(committed);
            foreach (var index in committed.Read)
            {
                all.Commit.Read.Add(all.AddRun(index));
            }

            all.AddVersions();
            toAll.Commits.Add(all.Commit);
        }
    }

    public static NodeMessage Get(Dictionary<string, NodeMessage> byNode, string nodeName)
    {
        if (!byNode.TryGetValue(nodeName, out var message))
        {
            byNode.Add(nodeName, message = new NodeMessage());
        }

        return message;
    }

    /// <summary>A commit that another node has sent.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static CommittedRuns Read(Commit commit)
    {
        var runs = commit.Runs
            .Select(run => EncodedRun.Read(new Run(run.ConversationId, new ConversationSeq(run.FirstSeq), run.Count), run.Entries.ToByteArray()))
            .ToArray();
        return new CommittedRuns(runs, [.. commit.Classes.Select(one => ReadClass(one, runs))], [.. commit.Read.Where(index => index < runs.Length)], [.. commit.Changes.Select(ReadMove)]);
    }

    private static CommittedClass ReadClass(InboxClass one, EncodedRun[] runs)
    {
        if (one.UserIds.Count != one.FirstSeqs.Count
            || one.Parts.Any(part => part.Run < 0 || part.Run >= runs.Length || part.Skip < 0 || part.Count <= 0 || part.Skip + part.Count > runs[part.Run].Run.Count))
        {
            throw new InvalidDataException("A class of a commit names what is not in it.");
        }

        return new CommittedClass(
            [.. one.Parts.Select(part => new CommittedPart(part.Run, part.Skip, part.Count))], [.. one.UserIds], one.FirstSeqs.ToArray());
    }

    private static MembershipMove ReadMove(MembershipChange change) =>
        new(change.ConversationId, change.Version, new ConversationSeq(change.Seq), [.. change.Opens], [.. change.Closes]);

    private static void AddClass(CommittedClass one, CommittedRuns committed, UserPlaces places, Dictionary<string, CommitBuilder> builders)
    {
        var classes = new Dictionary<string, InboxClass>(StringComparer.Ordinal);
        var firstSeqs = one.FirstSeqs.Span;
        for (var i = 0; i < firstSeqs.Length; i++)
        {
            foreach (var nodeName in places.Of(one.UserIds[i]))
            {
                if (!builders.TryGetValue(nodeName, out var builder))
                {
                    builders.Add(nodeName, builder = new CommitBuilder(committed));
                }

                if (!classes.TryGetValue(nodeName, out var wire))
                {
                    classes.Add(nodeName, wire = builder.AddClass(one));
                }

                wire.UserIds.Add(one.UserIds[i]);
                wire.FirstSeqs.Add(firstSeqs[i]);
                builder.Users.Add(one.UserIds[i]);
            }
        }
    }

    /// <summary>A commit in the making, for one receiver.</summary>
    private sealed class CommitBuilder(CommittedRuns committed)
    {
        private readonly Dictionary<int, int> _runs = [];

        public Commit Commit { get; } = new();

        public HashSet<string> Users { get; } = new(StringComparer.Ordinal);

        public int AddRun(int index)
        {
            if (!_runs.TryGetValue(index, out var place))
            {
                var run = committed.Runs[index];
                _runs.Add(index, place = Commit.Runs.Count);
                Commit.Runs.Add(new EntryRun
                {
                    ConversationId = run.Run.ConversationId,
                    FirstSeq = run.Run.First.Value,
                    Count = run.Run.Count,
                    Entries = UnsafeByteOperations.UnsafeWrap(run.Bytes),
                });
            }

            return place;
        }

        public InboxClass AddClass(CommittedClass one)
        {
            var wire = new InboxClass();
            foreach (var part in one.Parts)
            {
                wire.Parts.Add(new RunPart { Run = AddRun(part.Run), Skip = part.Skip, Count = part.Count });
            }

            Commit.Classes.Add(wire);
            return wire;
        }

        // Those of the receiving node, whose inboxes tell where the change stands.
        public void AddMoves()
        {
            foreach (var move in committed.Moves)
            {
                var change = ToWire(move);
                change.Opens.AddRange(move.Opens.Where(Users.Contains));
                change.Closes.AddRange(move.Closes.Where(Users.Contains));
                Commit.Changes.Add(change);
            }
        }

        // Also who gets nothing any more, should a receiver lose what was for it alone; not the many of a group whose fan-out is switched.
        public void AddVersions()
        {
            foreach (var move in committed.Moves)
            {
                var change = ToWire(move);
                change.Closes.AddRange(move.Closes.Count <= MaxClosesToAll ? move.Closes : []);
                Commit.Changes.Add(change);
            }
        }

        private static MembershipChange ToWire(MembershipMove move) =>
            new() { ConversationId = move.ConversationId, Version = move.Version, Seq = move.Seq.Value };
    }
}
