using Im.Protocol;

namespace Im.Client.Tests;

/// <summary>A server, a client with short delays, and what most tests do with them.</summary>
/// <remarks>The runner knows IAsyncLifetime, not IAsyncDisposable: clients that it left alive would go on trying to connect to ports of later tests.</remarks>
public abstract class ClientTest : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> _clients = [];

    private protected FakeServer Server { get; set; } = new();

    private protected ImClient NewClient(Action<ImClientOptions>? configure = null)
    {
        var options = new ImClientOptions
        {
            Server = Server.Uri,
            DeviceId = "phone",
            ReconnectMinDelay = TimeSpan.FromMilliseconds(2),
            ReconnectMaxDelay = TimeSpan.FromMilliseconds(20),
            CursorSaveInterval = TimeSpan.FromMilliseconds(5),
        };
        configure?.Invoke(options);
        var client = new ImClient(options);
        _clients.Add(client);
        return client;
    }

    private protected async Task<FakeConnection> ConnectAsync(ImClient client, Action<SignedIn>? change = null)
    {
        var connecting = client.ConnectAsync();
        var connection = await Server.AcceptAsync();
        await connection.SignInAsync(change);
        await connecting.WaitAsync(Wait.Limit);
        return connection;
    }

    private protected static async Task<ImEvent> NextAsync(IAsyncEnumerator<ImEvent> events)
    {
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Wait.Limit));
        return events.Current;
    }

    private protected static async Task<long> NextSeqAsync(IAsyncEnumerator<ImEvent> events) =>
        Assert.IsType<ImEntryEvent>(await NextAsync(events)).Seq;

    private protected static Task<ImSendAck> Send(ImClient client, string id, bool nonPersistent = false, CancellationToken ct = default) =>
        client.SendAsync(
            new ImMessage
            {
                Target = ImTarget.User("bob"),
                Content = new Content { ContentType = "text", Text = id },
                ClientMessageId = id,
                NonPersistent = nonPersistent,
            },
            ct);

    public Task InitializeAsync() => Task.CompletedTask;

    public virtual async Task DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync().AsTask().WaitAsync(Wait.Limit);
        }

        Server.Dispose();
    }
}
