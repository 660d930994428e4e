using Im.Timelines;

namespace Im.Storage.InMemory;

/// <summary>One user's relation to one conversation, kept after the user has left. Guarded by the state's lock.</summary>
internal sealed class MemberState(string userId, ConversationState conversation)
{
    private readonly List<Membership> _stays = new(1);
    private long _joinOrdinal;
    private long _readOrdinal;
    private long _ownOrdinal;

    public string UserId { get; } = userId;

    public ConversationState Conversation { get; } = conversation;

    /// <summary>Oldest first; only the last one may be open.</summary>
    public IReadOnlyList<Membership> Stays => _stays;

    public bool IsPresent => _stays.Count > 0 && _stays[^1].Last is null;

    public ConversationSeq Joined => _stays[^1].First;

    public ConversationSeq ReadSeq { get; private set; }

    /// <summary>Ordinals never fall, so the latest of the three places is the one with the highest ordinal.</summary>
    public long Unread => Conversation.Ordinal - Math.Max(_joinOrdinal, Math.Max(_readOrdinal, _ownOrdinal));

    public void Join(ConversationSeq seq, long ordinal)
    {
        _stays.Add(new Membership(seq, null));
        _joinOrdinal = ordinal;
    }

    public void Leave(ConversationSeq seq) => _stays[^1] = _stays[^1] with { Last = seq };

    public void Read(ConversationSeq seq, long ordinal)
    {
        ReadSeq = seq;
        _readOrdinal = ordinal;
    }

    public void Sent(long ordinal) => _ownOrdinal = ordinal;

    public Membership[] CopyStays() => [.. _stays];
}
