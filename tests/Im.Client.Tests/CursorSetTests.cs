using Im.Client.Internal;
using Im.Protocol;

namespace Im.Client.Tests;

/// <summary>The timeline of a conversation with fan-out on read, as the cursor sees it.</summary>
public sealed class CursorSetTests
{
    private readonly CursorSet _set = new(ImCursors.None);

    [Fact]
    public void AnEndedTimelineKeepsItsCursorUntilTheLastEntryBeforeTheEndHasCome()
    {
        Inbox(Packets.Joined("g", 10));
        Conversation(11, 12);
        Inbox(Packets.Left("g", 15));
        Assert.Equal(12, _set.FindOpen("g"));
        Conversation(13, 14);
        Assert.Null(_set.FindOpen("g"));
        Assert.Empty(_set.ToCursors().Conversations);
    }

    [Fact]
    public void ALeaveAfterTheLastEntryEndsAtOnce()
    {
        Inbox(Packets.Joined("g", 10));
        Inbox(Packets.Left("g", 11));
        Assert.Null(_set.FindOpen("g"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ADissolveOrASwitchToWriteEndsATimelineToo(bool dissolve)
    {
        Inbox(new Entry { ConversationId = "g", ConversationSeq = 3, FanoutChanged = new FanoutChanged { Fanout = Fanout.Read } });
        Assert.Equal(3, _set.FindOpen("g"));
        Inbox(dissolve
            ? new Entry { ConversationId = "g", ConversationSeq = 4, GroupDissolved = new GroupDissolved() }
            : new Entry { ConversationId = "g", ConversationSeq = 4, FanoutChanged = new FanoutChanged { Fanout = Fanout.Write } });
        Assert.Null(_set.FindOpen("g"));
    }

    [Fact]
    public void ACreatedGroupWithFanoutOnReadOpensATimeline()
    {
        Inbox(new Entry
        {
            ConversationId = "g",
            ConversationSeq = 1,
            GroupCreated = new GroupCreated { Group = new GroupInfo { Fanout = Fanout.Read }, Members = { "alice" } },
        });
        Assert.Equal(1, _set.FindOpen("g"));
    }

    [Fact]
    public void ARejoinBeforeTheRestOfTheFirstPartLosesNeither()
    {
        Inbox(Packets.Joined("g", 10));
        Conversation(11);
        Inbox(Packets.Left("g", 14));
        Assert.Equal(new ImConversationCursor(11, 14), _set.ToCursors().Conversations["g"]);
        Inbox(Packets.Joined("g", 20));
        Assert.Equal(new ImConversationCursor(11), _set.ToCursors().Conversations["g"]);
        Assert.Equal(Place.Gap, _set.PlaceOfConversation("g", 13));
        Conversation(12, 13);
        Skip(14, 20);
        Conversation(21);
    }

    [Fact]
    public void ASkipToARejoinThatHasComeAlreadyChangesNothing()
    {
        Inbox(Packets.Joined("g", 10));
        Conversation(11, 12, 13);
        Inbox(Packets.Left("g", 14));
        Assert.Null(_set.FindOpen("g"));
        Inbox(Packets.Joined("g", 20));
        Assert.Equal(Place.Duplicate, _set.PlaceOfSkip(new SkipEvent("g", 14, 20)));
        Conversation(21);
    }

    [Fact]
    public void ASkipBeforeTheInboxTellsOfTheReturnIsBelieved()
    {
        Inbox(Packets.Joined("g", 10));
        Conversation(11, 12);
        Inbox(Packets.Left("g", 14));
        Conversation(13);
        Skip(14, 20);
        Conversation(21);
        Inbox(Packets.Joined("g", 20));
        Conversation(22);
        Assert.Equal(new ImConversationCursor(22), _set.ToCursors().Conversations["g"]);
    }

    [Fact]
    public void AnEndingThatTheTimelineHasLeftBehindEndsNothing()
    {
        Inbox(Packets.Joined("g", 10));
        Conversation(11, 12, 13);
        Skip(14, 20);
        Conversation(21);
        Inbox(Packets.Left("g", 14));
        Inbox(Packets.Joined("g", 20));
        Assert.Equal(new ImConversationCursor(21), _set.ToCursors().Conversations["g"]);
    }

    [Fact]
    public void ASkipThatBeginsBeforeTheCursorMovesItAndOneBehindAHoleDoesNot()
    {
        Conversation(11);
        Skip(9, 15);
        Assert.Equal(15, _set.FindOpen("g"));
        Assert.Equal(Place.Gap, _set.PlaceOfSkip(new SkipEvent("g", 17, 20)));
        Assert.Equal(Place.Duplicate, _set.PlaceOfSkip(new SkipEvent("g", 12, 15)));
    }

    [Fact]
    public void ASkipUpToTheEndingEndsTheTimeline()
    {
        Inbox(Packets.Joined("g", 10));
        Inbox(Packets.Left("g", 14));
        Skip(11, 13);
        Assert.Null(_set.FindOpen("g"));
    }

    [Fact]
    public void EntriesOfALaterMembershipThatComeBeforeTheInboxAreKept()
    {
        Conversation(51, 52);
        Inbox(Packets.Joined("g", 20));
        Inbox(Packets.Left("g", 35));
        Inbox(Packets.Joined("g", 50));
        Assert.Equal(52, _set.FindOpen("g"));
    }

    [Fact]
    public void AnAddingOfAMemberNeverSkips()
    {
        Inbox(Packets.Joined("g", 10));
        Inbox(Packets.Joined("g", 20));
        Assert.Equal(10, _set.FindOpen("g"));
    }

    [Fact]
    public void OthersLeavingEndsNothing()
    {
        Inbox(Packets.Joined("g", 10));
        Inbox(Packets.Left("g", 11, "bob"));
        Assert.Equal(10, _set.FindOpen("g"));
    }

    private void Inbox(Entry entry) =>
        _set.Apply(new ImEntryEvent(null, _set.InboxSeq + 1, entry), TimelineChange.Of(entry, "alice"));

    private void Skip(long first, long through)
    {
        var skip = new SkipEvent("g", first, through);
        Assert.Equal(Place.Next, _set.PlaceOfSkip(skip));
        _set.Apply(skip);
    }

    private void Conversation(params long[] seqs)
    {
        foreach (var seq in seqs)
        {
            Assert.Equal(Place.Next, _set.PlaceOfConversation("g", seq));
            _set.Apply(new ImEntryEvent("g", seq, Packets.Text("g", seq)), null);
        }
    }
}
