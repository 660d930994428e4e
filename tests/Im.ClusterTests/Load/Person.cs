using System.Collections.Concurrent;
using System.Diagnostics;
using Im.Client;
using Im.ClusterTests.Cluster;
using Im.Protocol;

namespace Im.ClusterTests.Load;

/// <summary>A user's device in a small test: says something, and waits until it hears something.</summary>
internal sealed class Person : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _heard = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;

    private Person(string userId, string deviceId, Uri[] servers, ICursorStore? cursors = null)
    {
        UserId = userId;
        Client = new ImClient(new ImClientOptions
        {
            Server = servers[0],
            MoreServers = servers[1..],
            DeviceId = deviceId,
            CursorStore = cursors ?? new MemoryCursorStore(),
            TokenProvider = _ => ValueTask.FromResult(userId),
            ReconnectMinDelay = TimeSpan.FromMilliseconds(100),
            ReconnectMaxDelay = TimeSpan.FromSeconds(1),
            ConnectTimeout = TimeSpan.FromSeconds(3),
            PingInterval = TimeSpan.FromSeconds(1),
            PingTimeout = TimeSpan.FromSeconds(1.5),
        });
        _reading = ReadAsync();
    }

    public string UserId { get; }

    public ImClient Client { get; }

    public IReadOnlyList<string> Heard => [.. _heard];

    /// <summary>Connects to the first of the nodes, and to the next where that is gone.</summary>
    public static async Task<Person> ConnectAsync(string userId, string deviceId, params NodeProcess[] nodes)
    {
        var person = new Person(userId, deviceId, [.. nodes.Select(node => node.Address)]);
        await person.Client.ConnectAsync().WaitAsync(TimeSpan.FromSeconds(20));
        await person._ready.Task.WaitAsync(TimeSpan.FromSeconds(20));
        return person;
    }

    /// <summary>The same with cursors of its own: a device that comes back goes on from them.</summary>
    public static async Task<Person> ConnectAsync(string userId, string deviceId, ICursorStore cursors, NodeProcess node)
    {
        var isNew = (await cursors.LoadAsync(CancellationToken.None)).Generation.Length == 0;
        var person = new Person(userId, deviceId, [node.Address], cursors);
        await person.Client.ConnectAsync().WaitAsync(TimeSpan.FromSeconds(20));
        if (isNew)
        {
            await person._ready.Task.WaitAsync(TimeSpan.FromSeconds(20));
        }

        return person;
    }

    /// <summary>Without waiting for anything.</summary>
    public static Person Begin(string userId, string deviceId, NodeProcess node)
    {
        var person = new Person(userId, deviceId, [node.Address]);
        _ = person.Client.ConnectAsync();
        return person;
    }

    public async Task SayAsync(Person other, string text) =>
        await Client.SendTextAsync(ImTarget.User(other.UserId), text).WaitAsync(TimeSpan.FromSeconds(40));

    /// <summary>Waits until it is heard; returns how long that took.</summary>
    public async Task<TimeSpan> HearAsync(string text, double seconds)
    {
        var start = Stopwatch.GetTimestamp();
        await Wait.UntilAsync(() => _heard.Contains(text), $"{UserId} has not heard \"{text}\".", TimeSpan.FromSeconds(seconds));
        return Stopwatch.GetElapsedTime(start);
    }

    public void AssertHeardEachOnce() =>
        Assert.DoesNotContain(_heard.GroupBy(text => text), group => group.Count() > 1);

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _reading.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private async Task ReadAsync()
    {
        try
        {
            await foreach (var received in Client.ReadAsync())
            {
                if (received is ImResetEvent)
                {
                    _ready.TrySetResult();
                }
                else if (received is ImEntryEvent { Entry.Content.Text: { } text })
                {
                    _heard.Enqueue(text);
                }
            }
        }
        catch (ImClientException exception)
        {
            _ready.TrySetException(exception);
        }
    }
}
