using Im.Cluster.Wire;
using Im.Messaging;

namespace Im.Cluster;

/// <summary>Something that waits to be sent to other nodes.</summary>
internal abstract record Outgoing
{
    private Outgoing()
    {
    }

    /// <summary>About how many bytes it makes.</summary>
    public abstract int Size { get; }

    /// <summary>A commit: to the nodes that have recipients, and to all where sessions follow the conversation itself.</summary>
    public sealed record Commit(CommittedRuns Runs) : Outgoing
    {
        public override int Size { get; } = Runs.Runs.Sum(run => run.Size) + Runs.Classes.Sum(one => one.UserIds.Count * 16);
    }

    /// <summary>A part of a message for one node, or for all (null). Its lists are joined with those of other parts.</summary>
    public sealed record Part(NodeMessage Message, string? NodeName) : Outgoing
    {
        public override int Size { get; } = Message.CalculateSize();
    }

    /// <summary>A signal for users, wherever they are connected.</summary>
    public sealed record ToUsers(SignalPush Signal, IReadOnlyList<string> UserIds) : Outgoing
    {
        public override int Size { get; } = Signal.Packet.Length + (UserIds.Count * 8);
    }

    /// <summary>A message that is sent by itself: it carries a question or an answer.</summary>
    public sealed record Alone(NodeMessage Message, string NodeName) : Outgoing
    {
        public override int Size { get; } = Message.CalculateSize();
    }

    /// <summary>The probe is due.</summary>
    public sealed record Probe(bool IsLeaving) : Outgoing
    {
        public override int Size => 16;
    }
}
