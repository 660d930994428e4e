using Im.Client;
using Im.Protocol;
using Im.Testing.Internal;

namespace Im.Testing;

/// <summary>A device of a test host: a real <see cref="ImClient"/> that keeps everything it is given.</summary>
/// <remarks>
/// It reads all the time, so an event counts as stored as soon as it has come. By itself it sends nothing: it tells the server how far it is (device
/// acks) when it signs in again, and it pings only where the server's idle timeout asks for it. Every wait has a limit, <see cref="ImTestHost.WaitLimit"/> by the
/// real clock, and ends with a <see cref="TimeoutException"/> that says what has come instead. Thread-safe.
/// </remarks>
public sealed class ImTestDevice : IAsyncDisposable
{
    private readonly ImTestHost _host;
    private readonly EventLog _log = new();
    private readonly Task _reading;

    internal ImTestDevice(ImTestHost host, string userId, string token, string deviceId, ICursorStore cursors)
    {
        _host = host;
        UserId = userId;
        DeviceId = deviceId;
        Network = new TestNetwork($"{userId}/{deviceId}");
        Client = new ImClient(new ImClientOptions
        {
            Server = new Uri("tcp://in-memory:1"),
            OpenStream = Network.OpenAsync,
            DeviceId = deviceId,
            TokenProvider = _ => ValueTask.FromResult(token),
            CursorStore = cursors,

            // By itself it says nothing: a test that moves the clock past an idle timeout would race an ack or a ping.
            CursorSaveInterval = TimeSpan.FromDays(1),
            CursorSaveEntries = int.MaxValue,
            PingInterval = TimeSpan.FromDays(1),
            ReconnectMinDelay = TimeSpan.FromMilliseconds(1),
            ReconnectMaxDelay = TimeSpan.FromMilliseconds(50),
        });
        Client.StateChanged += (_, _) => _log.Changed();
        _reading = ReadAsync();
    }

    /// <summary>Whose device it is.</summary>
    public string UserId { get; }

    /// <summary>The node that it connects to.</summary>
    public ImTestNode Node { get; internal set; } = null!;

    /// <summary>Which device it is.</summary>
    public string DeviceId { get; }

    /// <summary>The client itself, for everything that this class has no short way for. <see cref="ImClient.ReadAsync"/> is in use.</summary>
    public ImClient Client { get; }

    /// <summary>Whether it is signed in now.</summary>
    public bool IsConnected => Client.State == ImClientState.Connected;

    /// <summary>Everything that it was given so far, in order.</summary>
    public IReadOnlyList<ImEvent> Events => _log.Events;

    /// <summary>The messages among it, its own too, in order.</summary>
    public IReadOnlyList<Entry> Messages => [.. _log.Events.OfType<ImEntryEvent>().Select(item => item.Entry).Where(IsMessage)];

    internal TestNetwork Network { get; }

    /// <summary>Sends a text to a user; completes with the server's ack.</summary>
    public Task<ImSendAck> SendTextAsync(string userId, string text) => SendTextAsync(ImTarget.User(userId), text);

    /// <summary>Sends a text to a user or a conversation; completes with the server's ack.</summary>
    /// <remarks>It waits over cuts and restarts, as the client does, without a limit of its own.</remarks>
    public Task<ImSendAck> SendTextAsync(ImTarget target, string text) => Client.SendTextAsync(target, text);

    /// <summary>The next message that this device did not send itself, in order; each is given out once.</summary>
    public Task<Entry> ReceiveAsync(CancellationToken cancellationToken = default) => _log.WaitAsync(
        () => (_log.TryReceive(entry => IsMessage(entry) && !IsOwn(entry), out var entry), entry),
        _host.WaitLimit,
        () => Complain("a message"),
        cancellationToken);

    /// <summary>The first of all events, also of those that came before, that fits.</summary>
    public Task<T> WaitForAsync<T>(Func<T, bool> fits, CancellationToken cancellationToken = default)
        where T : ImEvent
    {
        ArgumentNullException.ThrowIfNull(fits);
        return _log.WaitAsync(
            () => _log.Events.OfType<T>().FirstOrDefault(fits) is { } found ? (true, found) : (false, null!),
            _host.WaitLimit,
            () => Complain($"a {typeof(T).Name} that fits"),
            cancellationToken);
    }

    /// <summary>Waits until the device has so many messages in all, its own too, and returns them.</summary>
    public Task<IReadOnlyList<Entry>> WaitForMessagesAsync(int count, CancellationToken cancellationToken = default) => _log.WaitAsync(
        () =>
        {
            var messages = Messages;
            return (messages.Count >= count, messages);
        },
        _host.WaitLimit,
        () => Complain($"{count} messages"),
        cancellationToken);

    /// <summary>Waits until the client is in a state.</summary>
    public Task WaitForStateAsync(ImClientState state, CancellationToken cancellationToken = default) => _log.WaitAsync(
        () => (Client.State == state, true), _host.WaitLimit, () => Complain($"the state {state}; it is {Client.State}"), cancellationToken);

    /// <summary>How the server closed a connection of this device: the first one that was not asked for yet.</summary>
    public async Task<ImTestClose> WaitForCloseAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await Network.Closes.ReadAsync(cancellationToken).AsTask().WaitAsync(_host.WaitLimit, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException(Complain("the server to close a connection"));
        }
    }

    /// <summary>
    /// Ends the device's process: its cursors are kept, so that connecting the same user and device again goes on where it stopped.
    /// Can be safely called multiple times.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        _host.Forget(this);
        await Client.DisposeAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
    }

    private async Task ReadAsync()
    {
        try
        {
            await foreach (var item in Client.ReadAsync().ConfigureAwait(false))
            {
                _log.Add(item);
            }
        }
        catch (ImClientException)
        {
            // Closed for good; Client.Closed says why.
        }
        finally
        {
            _log.Changed();
        }
    }

    private static bool IsMessage(Entry entry) => entry.BodyCase == Entry.BodyOneofCase.Content || entry.Gone;

    private bool IsOwn(Entry entry) => entry.SenderId == UserId && entry.SenderDeviceId == DeviceId;

    private string Complain(string awaited)
    {
        var texts = Messages.TakeLast(10).Select(entry => $"{entry.SenderId}: \"{entry.Content?.Text}\"");
        return $"{UserId}'s device {DeviceId} waited {_host.WaitLimit.TotalSeconds:0.###} s for {awaited}. It is {Client.State} and has "
            + $"{Events.Count} events; the last messages: {string.Join(", ", texts)}. ImTestHost.WaitLimit is the limit.";
    }
}
