using Im.Storage;
using Im.Testing;
using Im.Testing.Specification;
using Im.Timelines;
using Xunit;

namespace Im.Docs.Snippets;

/// <summary>The snippets of docs/testing.md and of the READMEs of the testing packages.</summary>
internal static class TestingSnippets
{
    public static async Task ReadmeAsync()
    {
        await using var host = await ImTestHost.StartAsync(im => im.AddMessageInterceptor<MyInterceptor>());
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob", "web");

        await ann.SendTextAsync("bob", "hello");
        var entry = await bob.ReceiveAsync();                    // entry.Content.Text is "hello"

        await host.CutAsync(bob);                                // bob is in a tunnel
        await ann.SendTextAsync("bob", "are you there?");
        await host.ReconnectAsync(bob);
        await bob.WaitForMessagesAsync(2);                       // each once, in order

        host.Time.Advance(TimeSpan.FromHours(1));                // the server's clock
        await host.RestartAsync();                               // a new server on the same storage
    }

    public static async Task AnyFrameworkAsync()
    {
        await using var host = await ImTestHost.StartAsync();
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob");
        var ack = await ann.SendTextAsync("bob", "hello");
        var entry = await bob.ReceiveAsync();
        if (entry.ConversationSeq != ack.ConversationSeq)
        {
            throw new InvalidOperationException("Bob has another message than Ann has sent.");
        }
    }

    public static async Task OptionsAsync()
    {
        await using var host = await ImTestHost.StartAsync(im =>
        {
            im.AddUserProvider<MyUserProvider>();
            im.Services.Configure<ImServerOptions>(options => options.MaxSendsPerSecond = 5);
        });
        var ann = await host.ConnectAsync("ann", "phone", token: "the token that MyUserProvider knows");
    }

    public static async Task LostAckAsync(ImTestHost host, ImTestDevice ann, ImTestDevice bob)
    {
        host.HoldAnswers(ann);
        var sending = ann.SendTextAsync("bob", "once");
        await bob.ReceiveAsync();           // it is stored, and Ann does not know
        await host.CutAsync(ann);
        await host.ReconnectAsync(ann);     // Ann's client sends it again
        var ack = await sending;            // the original ack: a duplicate, stored once
    }

    public static async Task ClockAsync()
    {
        await using var host = await ImTestHost.StartAsync(
            im => im.Services.Configure<ImServerOptions>(options => options.IdleTimeout = TimeSpan.FromSeconds(90)));
        var ann = await host.ConnectAsync("ann");
        host.Time.Advance(TimeSpan.FromSeconds(92));
        var close = await ann.WaitForCloseAsync();          // close.Code is ImCloseCode.Idle
    }
}

public sealed class GreetingTests
{
    [Fact]
    public async Task WhoWasAwayGetsEverythingOnceAndInOrder()
    {
        await using var host = await ImTestHost.StartAsync(im => im.AddMessageInterceptor<MyInterceptor>());
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob");

        await ann.SendTextAsync("bob", "hello");
        var entry = await bob.ReceiveAsync();
        Assert.Equal("hello", entry.Content.Text);

        await host.CutAsync(bob);
        await ann.SendTextAsync("bob", "are you there?");
        await ann.SendTextAsync("bob", "good night");
        await host.ReconnectAsync(bob);

        var messages = await bob.WaitForMessagesAsync(3);
        Assert.Equal(["hello", "are you there?", "good night"], messages.Select(message => message.Content.Text));
    }
}

public sealed class MyStorageFixture : IStorageFixture
{
    public string? OneNodeOnly => "the file is locked by the process that opened it";

    public async ValueTask<StoreSet> CreateAsync()
    {
        var database = await MyDatabase.OpenAsync();
        return new StoreSet(database.Messages, database.Groups, database.Conversations, database.Devices)
        {
            Retention = database.Retention,
            UserData = database.UserData,
            Probe = database.Probe,
        };
    }

    public ValueTask CloseAsync(StoreSet stores) => MyDatabase.CloseAsync();

    public ValueTask ResetAsync() => MyDatabase.DeleteEverythingAsync();

    public ValueTask DropBodyAsync(string conversationId, ConversationSeq seq) => MyDatabase.DropBodyAsync(conversationId, seq.Value);
}

public sealed class MyMessageStoreTests(MyStorageFixture fixture)
    : MessageStoreSpecification(fixture), IClassFixture<MyStorageFixture>;

public sealed class MyInterceptor : Messaging.IMessageInterceptor
{
    public ValueTask<Messaging.InterceptionResult> BeforeStoreAsync(Messaging.InterceptedMessage message, CancellationToken cancellationToken) =>
        new(Messaging.InterceptionResult.Continue);
}

internal sealed record MyDatabase(
    IMessageStore Messages,
    IGroupStore Groups,
    IConversationStore Conversations,
    IDeviceStore Devices,
    IRetentionStore Retention,
    IUserDataStore UserData,
    IStorageProbe Probe)
{
    public static ValueTask<MyDatabase> OpenAsync() => throw new NotImplementedException();

    public static ValueTask CloseAsync() => throw new NotImplementedException();

    public static ValueTask DeleteEverythingAsync() => throw new NotImplementedException();

    public static ValueTask DropBodyAsync(string conversationId, long seq) => throw new NotImplementedException();

    public static async Task NodesAsync()
    {
        await using var host = await ImTestHost.StartAsync();
        var second = await host.AddNodeAsync();
        var ann = await host.ConnectAsync("ann");
        var bob = await host.ConnectAsync("bob", node: second);
        await ann.SendTextAsync("bob", "across");           // bob gets it on the other node
        await host.MoveAsync(bob, host.Nodes[0]);           // and goes on where he was
    }
}
