using Im.Protocol;

namespace Im.LoadGenerator.Tests.Support;

/// <summary>A correct server's side of one group with one member; a test bends what it says.</summary>
internal sealed class FakeGroup
{
    public const string Id = "g:load";
    private const string User = "u0";

    private readonly List<(uint RequestId, Send Send)> _sends = [];
    private readonly int _expected;
    private readonly Func<FakeGroup, IEnumerable<ServerPacket>> _answerAll;

    /// <param name="expected">After that many sends the rest is said.</param>
    /// <param name="answerAll">What is said.</param>
    public FakeGroup(int expected, Func<FakeGroup, IEnumerable<ServerPacket>> answerAll)
    {
        _expected = expected;
        _answerAll = answerAll;
    }

    public IEnumerable<ServerPacket> Answer(ClientPacket packet)
    {
        switch (packet.PacketCase)
        {
            case ClientPacket.PacketOneofCase.SignIn:
                yield return new ServerPacket { RequestId = 1, SignedIn = new SignedIn { Generation = "g", Reset = true, InboxHead = 1, IdleTimeoutMs = 90_000 } };
                yield return new ServerPacket { Snapshot = new Snapshot { InboxSeq = 1, Conversations = { new ConversationState { ConversationId = Id, Head = 1 } } } };
                break;
            case ClientPacket.PacketOneofCase.Send:
                _sends.Add((packet.RequestId, packet.Send));
                foreach (var answer in _sends.Count == _expected ? _answerAll(this) : [])
                {
                    yield return answer;
                }

                break;
        }
    }

    /// <summary>The ack of the message that was sent as that one, counted from 0.</summary>
    public ServerPacket Ack(int message, long seq) => new()
    {
        RequestId = _sends[message].RequestId,
        SendAck = new SendAck
        {
            Result = SendResult.Stored,
            ClientMessageId = _sends[message].Send.ClientMessageId,
            ConversationId = Id,
            ConversationSeq = seq,
            TimeMs = 1_700_000_000_000,
        },
    };

    public ServerPacket Push(long firstInboxSeq, params Entry[] entries) => new() { Push = new Push { FirstInboxSeq = firstInboxSeq, Entries = { entries } } };

    public Entry Entry(int message, long seq) => new()
    {
        ConversationId = Id,
        ConversationSeq = seq,
        Ordinal = seq - 1,
        SenderId = User,
        SenderDeviceId = "load",
        ClientMessageId = _sends[message].Send.ClientMessageId,
        TimeMs = 1_700_000_000_000,
        Content = _sends[message].Send.Content,
    };

    /// <summary>An entry that is nobody's message, with what could confuse a reader in a hurry.</summary>
    public static Entry Foreign(long seq) => new()
    {
        ConversationId = Id,
        ConversationSeq = seq,
        SenderId = "$bench",
        ClientMessageId = "x",
        GroupChanged = new GroupChanged { Group = new GroupInfo { Name = "a \"}} name, with \\\" and {[", MembershipVersion = 2 } },
    };
}
