namespace Im.Client;

/// <summary>Where a room stood when it was subscribed to: what follows on these seqs comes, and before it what is replayed.</summary>
/// <param name="Epoch">Changes when the room begins to count anew; empty = nobody has sent yet.</param>
/// <param name="NormalSeq">The last seq of the normal messages.</param>
/// <param name="HighSeq">The last seq of the high messages.</param>
public sealed record ImRoomState(string Epoch, long NormalSeq, long HighSeq);
