using Im.Fanout;
using Im.Groups;
using Im.Messaging;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Im.Core.Tests.Groups;

/// <summary>Two nodes over one store that send to a large group while it changes. The tests of each adapter run it.</summary>
internal static class TwoNodesRules
{
    private const string Group = "g:busy";
    private const int Switches = 12;
    private const int Comings = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>
    /// A group that switches between fan-out on write and read, and whose members come and go, while both nodes send: each member gets every entry of
    /// its stays exactly once, through the inbox or the conversation's timeline, and nobody's message is stored who was no member at its place.
    /// </summary>
    public static async Task NothingIsLostOrLeakedWhileAGroupChanges(Action<IImServerBuilder> use)
    {
        using var first = await StartAsync(use, "one");
        using var second = await StartAsync(use, "two");
        IImServer[] nodes = [first.Services.GetRequiredService<IImServer>(), second.Services.GetRequiredService<IImServer>()];
        string[] users = [.. Enumerable.Range(0, 12).Select(i => $"u{i:D2}")];
        await nodes[0].Groups.CreateAsync(
            new NewGroup { GroupId = "busy", Info = new GroupInfo("Busy"), MemberIds = users, ActorId = users[0], Fanout = FanoutNames.Read });

        var changing = Task.WhenAll(SwitchAsync(nodes[0]), ComeAndGoAsync(nodes[1], [users[4], users[5], users[11]]));
        var sending = Enumerable.Range(0, 6).Select(i => SendUntilAsync(nodes[i % 2], users[i], changing)).ToArray();
        await Task.WhenAll([.. sending, changing]).WaitAsync(Patience);

        var services = first.Services;
        var head = (await services.GetRequiredService<IMessageStore>().GetHeadsAsync([TimelineKey.Conversation(Group)], default))[0].Head;
        Assert.All(sending[..4], sender => Assert.InRange(sender.Result, 1, int.MaxValue));
        foreach (var user in users)
        {
            await CheckEntriesAsync(services, user, head);
        }

        await CheckSendersAsync(services, head);
        await Task.WhenAll(first.StopAsync(), second.StopAsync()).WaitAsync(Patience);
    }

    // How many of the sender's messages were stored; the others were refused while it was no member.
    private static async Task<int> SendUntilAsync(IImServer node, string sender, Task until)
    {
        var stored = 0;
        do
        {
            var result = await node.Messages.SendAsync(
                new OutgoingMessage { SenderId = sender, ConversationId = Group, Content = MessageContent.FromText("x") }).AsTask().WaitAsync(Patience);
            if (result.Outcome == ImSendOutcome.Stored)
            {
                stored++;
            }
            else if (result.Code != ImErrorCode.Conflict)
            {
                Assert.Equal(ImErrorCode.NotAMember, result.Code);
                Assert.Contains(sender, (string[])["u04", "u05"]);
            }
        }
        while (!until.IsCompleted);

        return stored;
    }

    private static async Task SwitchAsync(IImServer node)
    {
        for (var i = 0; i < Switches; i++)
        {
            await TryAsync(node, groups => groups.SetFanoutAsync("busy", i % 2 == 0 ? FanoutNames.Write : FanoutNames.Read, "$host"));
        }
    }

    private static async Task ComeAndGoAsync(IImServer node, string[] users)
    {
        for (var i = 0; i < Comings; i++)
        {
            await TryAsync(node, groups => groups.RemoveMembersAsync("busy", users, "$host"));
            await TryAsync(node, groups => groups.AddMembersAsync("busy", users, "$host"));
        }
    }

    // Changes without a pause would let nobody send; a message between two of them is a pause. Two changers may also be too many for each other.
    private static async Task TryAsync(IImServer node, Func<IImGroups, ValueTask<ImGroup>> change)
    {
        try
        {
            await change(node.Groups).AsTask().WaitAsync(Patience);
        }
        catch (ImException exception) when (exception.Code == ImErrorCode.Conflict)
        {
            // It was not done.
        }

        for (var i = 0; i < 5; i++)
        {
            await node.Messages.SendAsync(
                new OutgoingMessage { SenderId = "$host", ConversationId = Group, Content = MessageContent.FromText("x") }).AsTask().WaitAsync(Patience);
        }
    }

    private static async Task CheckEntriesAsync(IServiceProvider services, string user, long head)
    {
        var inbox = (await services.GetRequiredService<IMessageStore>().ReadInboxesAsync([new InboxRead(user, default, int.MaxValue)], default))[0];
        var got = inbox.Runs.Where(run => run.ConversationId == Group).SelectMany(run => Range(run.First.Value, run.Last.Value)).ToList();
        var store = services.GetRequiredService<IConversationStore>();
        foreach (var part in await store.GetReadTimelinesAsync(user, [Group], default, default))
        {
            got.AddRange(Range(part.After.Value + 1, part.Last?.Value ?? head));
        }

        var expected = new List<long>();
        foreach (var stay in await store.GetMembershipsAsync(user, Group, default))
        {
            expected.AddRange(Range(stay.First.Value, stay.Last?.Value ?? head));
        }

        Assert.Equal(expected, got.Order());
    }

    private static async Task CheckSendersAsync(IServiceProvider services, long head)
    {
        var entries = await services.GetRequiredService<IMessageStore>().ReadEntriesAsync([new Run(Group, new(1), (int)head)], int.MaxValue, default);
        foreach (var sender in entries.Where(entry => entry.Kind == EntryKind.Message && entry.SenderId != "$host").GroupBy(entry => entry.SenderId))
        {
            var stays = await services.GetRequiredService<IConversationStore>().GetMembershipsAsync(sender.Key, Group, default);
            Assert.All(sender, entry => Assert.Contains(stays, stay => stay.First < entry.Seq && (stay.Last is null || entry.Seq < stay.Last)));
        }
    }

    private static IEnumerable<long> Range(long first, long last)
    {
        for (var seq = first; seq <= last; seq++)
        {
            yield return seq;
        }
    }

    private static async Task<IHost> StartAsync(Action<IImServerBuilder> use, string node)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var im = builder.Services.AddImServer(options =>
        {
            options.NodeName = node;
            options.MaxCachedGroupMembers = 4;
        });
        use(im.AddUserProvider<Everybody>());
        var host = builder.Build();
        await host.StartAsync().WaitAsync(Patience);
        return host;
    }

    internal sealed class Everybody : IUserProvider
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
            ValueTask.FromResult(AuthenticationResult.Success(request.Token));

        public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Select(userId => new ImUser(userId))]);
    }
}
