using Im.Groups;
using Im.IntegrationTests.Support;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.DependencyInjection;

namespace Im.IntegrationTests.Interleavings;

/// <summary>A user with one device, a group in which others talk, and what the device must end with.</summary>
internal sealed class Scenario
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static int _last;

    private readonly string _user;
    private readonly string _other;
    private readonly List<string> _groups = [];
    private readonly TimelineChecker _device;
    private string _fanout;
    private int _messages;
    private IWireClient? _client;

    private Scenario(TestServer server, string fanout)
    {
        var number = Interlocked.Increment(ref _last);
        Server = server;
        _user = $"u{number}";
        _other = $"other{number}";
        _groups.Add($"group{number}");
        _fanout = fanout;
        _device = new TimelineChecker(_user);
    }

    public TestServer Server { get; }

    private string GroupId => _groups[0];

    /// <summary>
    /// A group with a few messages that the device has, and a few that came while it was away. With <paramref name="reset"/> the device has
    /// nothing and will be given a snapshot.
    /// </summary>
    public static async Task<Scenario> CreateAsync(TestServer server, string fanout, bool isMember, bool reset)
    {
        var scenario = new Scenario(server, fanout);
        await scenario.CreateAsync(scenario.GroupId, isMember ? [scenario._user, scenario._other] : [scenario._other]);
        await scenario.SayAsync(2);
        if (!reset)
        {
            await scenario.SignInAsync();
            await scenario.SayAsync(1);
            await scenario.AssertExactAsync();
        }

        // More than one page.
        await scenario.SayAsync(2);
        await scenario.SayAsync(3);
        return scenario;
    }

    public async Task SayAsync(int count)
    {
        var messages = Enumerable.Range(0, count).Select(_ => new OutgoingMessage
        {
            SenderId = _other,
            ConversationId = ConversationId.Group(GroupId),
            Content = MessageContent.FromText($"message {++_messages}"),
        }).ToArray();
        foreach (var result in await Server.Im.Messages.SendAsync(messages))
        {
            result.EnsureAccepted();
        }
    }

    public Task JoinAsync() => Server.Im.Groups.AddMembersAsync(GroupId, [_user], "$test").AsTask();

    public Task LeaveAsync() => Server.Im.Groups.RemoveMembersAsync(GroupId, [_user], "$test").AsTask();

    public Task DissolveAsync() => Server.Im.Groups.DissolveAsync(GroupId, "$test").AsTask();

    public Task SwitchAsync()
    {
        _fanout = _fanout == "read" ? "write" : "read";
        return Server.Im.Groups.SetFanoutAsync(GroupId, _fanout, "$test").AsTask();
    }

    public async Task OthersComeAndGoAsync()
    {
        await Server.Im.Groups.AddMembersAsync(GroupId, [_other + "a", _other + "b"], "$test");
        await Server.Im.Groups.RemoveMembersAsync(GroupId, [_other + "a"], "$test");
    }

    public async Task CreateAnotherAsync()
    {
        var group = GroupId + "x";
        _groups.Add(group);
        await CreateAsync(group, [_user, _other]);
        await Server.Im.Messages.SendAsync(
            new OutgoingMessage { SenderId = _other, ConversationId = ConversationId.Group(group), Content = MessageContent.FromText("first") });
    }

    /// <summary>Signs the device in, over a fresh connection, where it is; ends with the answer and, after a reset, the snapshot.</summary>
    public async Task SignInAsync()
    {
        _client = await Server.ConnectAsync(Wire.Tcp);
        await _client.WriteAsync(new ClientPacket { SignIn = _device.ToSignIn("d1") });
        bool isDone;
        do
        {
            var packet = await _client.ReadNextAsync();
            _device.Take(packet);
            isDone = packet.SignedIn?.Reset == false || packet.Snapshot?.HasMore == false;
        }
        while (!isDone);
    }

    /// <summary>Reads until the device has what it must have, makes sure that nothing follows, and ends the connection.</summary>
    public async Task AssertExactAsync()
    {
        // What comes last, in every timeline that is still open.
        await Server.Im.Messages.SendAsync(new OutgoingMessage { SenderId = "$test", ToUserId = _user, Content = MessageContent.FromText("end") });
        foreach (var group in _groups)
        {
            await Server.Im.Messages.SendAsync(
                new OutgoingMessage { SenderId = _other, ConversationId = ConversationId.Group(group), Content = MessageContent.FromText("end") });
        }

        var expected = await ExpectAsync();
        try
        {
            while (!expected.IsSubsetOf(_device.Entries))
            {
                _device.Take(await _client!.ReadNextAsync().WaitAsync(Patience));
            }

            var ping = await _client!.WriteAsync(new ClientPacket { Ping = new Ping() });
            ServerPacket packet;
            while ((packet = await _client!.ReadNextAsync()).RequestId != ping)
            {
                _device.Take(packet);
            }
        }
        catch (TimeoutException)
        {
            Assert.Fail($"Missing: {string.Join(", ", expected.Except(_device.Entries).Order())}. Has: {string.Join(", ", _device.Entries.Order())}");
        }

        Assert.True(
            _device.Entries.IsSubsetOf(expected), $"Not the device's: {string.Join(", ", _device.Entries.Except(expected).Order())}");
        await _client.DisposeAsync();
        await Wait.ForAsync(() => Server.Connections.Sessions.Get(_user).IsEmpty, "the session to be gone");
    }

    private async Task CreateAsync(string groupId, string[] members) => await Server.Im.Groups.CreateAsync(
        new NewGroup { GroupId = groupId, Info = new Model.GroupInfo("G"), MemberIds = members, ActorId = "$test", Fanout = _fanout });

    // What the user's stays in its conversations hold, as the store has it, but what the snapshot told of.
    private async Task<HashSet<(string ConversationId, long Seq)>> ExpectAsync()
    {
        var conversations = Server.Services.GetRequiredService<IConversationStore>();
        var messages = Server.Services.GetRequiredService<IMessageStore>();
        var expected = new HashSet<(string, long)>();
        var inbox = (await messages.ReadInboxesAsync([new InboxRead(_user, new InboxSeq(_device.SnapshotSeq), int.MaxValue)], default))[0];
        foreach (var run in inbox.Runs)
        {
            expected.UnionWith(Enumerable.Range(0, run.Count).Select(i => (run.ConversationId, run.First.Value + i)));
        }

        foreach (var conversation in _groups.Select(ConversationId.Group).Append(ConversationId.Direct("$test", _user)))
        {
            var head = (await messages.GetHeadsAsync([TimelineKey.Conversation(conversation)], default))[0].Head;
            foreach (var stay in await conversations.GetMembershipsAsync(_user, conversation, default))
            {
                // A stay that was over at a reset is history.
                if (!_device.SnapshotHeads.ContainsKey(conversation) && !expected.Contains((conversation, stay.First.Value)))
                {
                    continue;
                }

                for (var seq = stay.First.Value; seq <= (stay.Last?.Value ?? head); seq++)
                {
                    if (seq > _device.SnapshotHeads.GetValueOrDefault(conversation))
                    {
                        expected.Add((conversation, seq));
                    }
                }
            }
        }

        return expected;
    }
}
