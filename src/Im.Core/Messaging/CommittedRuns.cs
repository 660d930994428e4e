using Im.Sync;
using Im.Timelines;

namespace Im.Messaging;

/// <summary>A commit as it is delivered, on the node that made it and on the others. Immutable.</summary>
/// <param name="Runs">The runs of the commit, encoded.</param>
/// <param name="Classes">Whose inboxes got which of them.</param>
/// <param name="Read">Indices of the runs that are offered to the sessions that follow their conversation's own timeline.</param>
/// <param name="Moves">Changes of conversations, with those whose sessions begin or cease to follow a conversation's own timeline.</param>
internal sealed record CommittedRuns(
    IReadOnlyList<EncodedRun> Runs, IReadOnlyList<CommittedClass> Classes, IReadOnlyList<int> Read, IReadOnlyList<MembershipMove> Moves);

/// <summary>Users whose inboxes got the same runs.</summary>
internal sealed record CommittedClass(IReadOnlyList<CommittedPart> Parts, IReadOnlyList<string> UserIds, ReadOnlyMemory<long> FirstSeqs);

/// <summary>A part of a run, by its index.</summary>
internal readonly record struct CommittedPart(int Run, int Skip, int Count);

/// <summary>A change of a conversation at its entry.</summary>
internal sealed record MembershipMove(
    string ConversationId, long Version, ConversationSeq Seq, IReadOnlyCollection<string> Opens, IReadOnlyCollection<string> Closes);
