using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Clients;
using Im.LoadGenerator.Tests.Support;
using Im.LoadGenerator.Wire;
using Im.Protocol;

namespace Im.LoadGenerator.Tests.Checks;

/// <summary>The generator's verdict on servers that do something wrong: each check can fail. All transports, cut at random places.</summary>
public sealed class CheckTests
{
    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("IM_SEED"), out var seed) ? seed : Random.Shared.Next();

    public static TheoryData<string> Transports { get; } = ["tcp", "ws", "ws-json"];

    [Theory]
    [MemberData(nameof(Transports))]
    public void ACorrectServerIsClean(string transport)
    {
        var ledger = Run(transport, 4, group =>
        [
            group.Ack(0, 2), group.Ack(1, 3), group.Ack(2, 5),
            group.Push(2, group.Entry(0, 2)),
            group.Push(3, group.Entry(1, 3), FakeGroup.Foreign(4), group.Entry(2, 5)),
            group.Push(6, group.Entry(3, 6)),
            group.Ack(3, 6),
        ]);
        Assert.Equal(4, ledger.Delivered);
        AssertCounts(ledger, lost: 0, duplicated: 0, reordered: 0, errors: 0);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void AnAckedMessageThatIsNeverPushedIsLost(string transport)
    {
        var ledger = Run(transport, 2, group => [group.Ack(0, 2), group.Ack(1, 3), group.Push(2, group.Entry(0, 2))]);
        AssertCounts(ledger, lost: 1, duplicated: 0, reordered: 0, errors: 0);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void AHoleInTheConversationIsLost(string transport)
    {
        var ledger = Run(transport, 2, group => [group.Ack(0, 2), group.Ack(1, 3), group.Push(2, group.Entry(1, 3))]);
        AssertCounts(ledger, lost: 1, duplicated: 0, reordered: 0, errors: 0);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void AnEntryThatIsPushedTwiceIsDuplicated(string transport)
    {
        var ledger = Run(transport, 2, group =>
            [group.Ack(0, 2), group.Ack(1, 3), group.Push(2, group.Entry(0, 2), group.Entry(1, 3)), group.Push(4, group.Entry(1, 3))]);
        AssertCounts(ledger, lost: 0, duplicated: 1, reordered: 0, errors: 0);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void AMessageThatIsStoredTwiceIsDuplicated(string transport)
    {
        var ledger = Run(transport, 2, group =>
            [group.Ack(0, 2), group.Ack(1, 3), group.Push(2, group.Entry(0, 2), group.Entry(1, 3), group.Entry(1, 4))]);
        AssertCounts(ledger, lost: 0, duplicated: 1, reordered: 0, errors: 0);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void EntriesOutOfSeqOrderAreReordered(string transport)
    {
        var ledger = Run(transport, 2, group => [group.Ack(0, 2), group.Ack(1, 3), group.Push(2, group.Entry(1, 3), group.Entry(0, 2))]);
        AssertCounts(ledger, lost: 0, duplicated: 0, reordered: 1, errors: 0);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void AGapInTheInboxIsReordered(string transport)
    {
        var ledger = Run(transport, 2, group => [group.Ack(0, 2), group.Ack(1, 3), group.Push(2, group.Entry(0, 2)), group.Push(9, group.Entry(1, 3))]);
        AssertCounts(ledger, lost: 0, duplicated: 0, reordered: 1, errors: 0);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void SendsOfOneConnectionThatAreStoredInAnotherOrderAreReordered(string transport)
    {
        var ledger = Run(transport, 2, group => [group.Ack(0, 3), group.Ack(1, 2), group.Push(2, group.Entry(1, 2), group.Entry(0, 3))]);
        AssertCounts(ledger, lost: 0, duplicated: 0, reordered: 1, errors: 0);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void AMessageWhoseBodyIsGoneIsLost(string transport)
    {
        var ledger = Run(transport, 1, group =>
            [group.Ack(0, 2), group.Push(2, new Entry { ConversationId = FakeGroup.Id, ConversationSeq = 2, Gone = true })]);
        AssertCounts(ledger, lost: 1, duplicated: 0, reordered: 0, errors: 0);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void AnAckWithAnotherSeqThanThePushIsAnError(string transport)
    {
        var ledger = Run(transport, 2, group => [group.Ack(0, 2), group.Ack(1, 7), group.Push(2, group.Entry(0, 2), group.Entry(1, 3))]);
        AssertCounts(ledger, lost: 0, duplicated: 0, reordered: 0, errors: 1);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void ASendThatIsNeverAckedIsAnError(string transport)
    {
        var ledger = Run(transport, 2, group => [group.Ack(0, 2), group.Push(2, group.Entry(0, 2), group.Entry(1, 3))]);
        AssertCounts(ledger, lost: 0, duplicated: 0, reordered: 0, errors: 1);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void ASecondAckIsDuplicated(string transport)
    {
        var ledger = Run(transport, 1, group => [group.Ack(0, 2), group.Ack(0, 2), group.Push(2, group.Entry(0, 2))]);
        Assert.Equal(1, ledger.Duplicated);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void AMessageOfAnotherSenderUnderTheSameIdIsAnError(string transport)
    {
        var ledger = Run(transport, 1, group =>
        {
            var entry = group.Entry(0, 2);
            entry.SenderId = "somebody";
            return [group.Ack(0, 2), group.Push(2, entry)];
        });
        AssertCounts(ledger, lost: 0, duplicated: 0, reordered: 0, errors: 1);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public void ARefusedMessageIsAnErrorAndLost(string transport)
    {
        var ledger = Run(transport, 1, group =>
        {
            var requestId = group.Ack(0, 2).RequestId;
            return [new ServerPacket { RequestId = requestId, Error = new Error { Code = 402, Reason = "not_a_member" } }];
        });
        AssertCounts(ledger, lost: 1, duplicated: 0, reordered: 0, errors: 2); // refused, and never acked
    }

    private static Ledger Run(string transport, int sends, Func<FakeGroup, IEnumerable<ServerPacket>> answer)
    {
        var options = OptionsParser.Parse(["group", "--transport", transport, "--server", "127.0.0.1:1", "--group", "load", "--members", "2"]);
        using var server = new FakeServer(options.Transport, Seed, new FakeGroup(sends, answer).Answer);
        var world = new World(options, Target.Parse(server.Address, options.Transport));
        var group = world.AddConversation(FakeGroup.Id);
        group.Receivers = 1;
        var device = world.AddDevice("u0", "load", isSampled: true);
        device.Join(group);
        world.ConnectAll([device]);
        for (var i = 0; i < sends; i++)
        {
            device.Send(group, world.Loop.Now);
        }

        // Everything is in the socket's buffer when the server has written it.
        Assert.True(world.Loop.RunUntil(() => server.Answered > sends, options.Patience));
        world.Loop.RunFor(TimeSpan.FromMilliseconds(50));
        world.DisconnectAll();
        Audit.Run(world.Ledger);
        return world.Ledger;
    }

    private static void AssertCounts(Ledger ledger, long lost, long duplicated, long reordered, long errors) =>
        Assert.True(
            (lost, duplicated, reordered, errors) == (ledger.Lost, ledger.Duplicated, ledger.Reordered, ledger.Errors),
            $"IM_SEED={Seed}: lost {ledger.Lost}, duplicated {ledger.Duplicated}, reordered {ledger.Reordered}, errors {ledger.Errors}");
}
