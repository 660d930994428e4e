using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Clients;
using Im.LoadGenerator.Output;
using Im.LoadGenerator.Server;

namespace Im.LoadGenerator.Scenarios;

/// <summary>What every scenario works with.</summary>
internal sealed record Context(Options Options, IServer Server, World World, Progress Progress)
{
    // Latencies of single deliveries are taken at every 16th device of a large group: in the order in which the server serves them, so unbiased.
    private const int SampleFrom = 64;
    private const int SampleEvery = 16;

    public Ledger Ledger => World.Ledger;

    public ClientLoop Loop => World.Loop;

    /// <summary>A group of devices 0 … members - 1, each of a user of its own; they are signed in.</summary>
    public Conversation JoinGroup(Report report)
    {
        var groupId = Options.Group ?? "load";
        Server.CreateGroup(groupId, Options.Fanout, 0, Options.Members);
        var group = World.AddConversation("g:" + groupId);
        group.Receivers = Options.Members;
        for (var i = 0; i < Options.Members; i++)
        {
            AddDevice(i, Options.Members).Join(group);
        }

        World.ConnectAll(Ledger.Devices);
        report.Members = Options.Members;
        report.Fanout = group.IsRead ? "read" : "write";
        return group;
    }

    public Device AddDevice(int user, int of) =>
        World.AddDevice(World.UserOf(user), "load", of < SampleFrom || user % SampleEvery == 0);

    /// <summary>Waits until every message is acked and with everybody; what is missing then is counted by the audit.</summary>
    public bool WaitUntilSettled() => Loop.RunUntil(() => Ledger.IsSettled, Options.Patience);
}
