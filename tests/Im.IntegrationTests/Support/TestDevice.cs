using System.Collections.Concurrent;
using System.Threading.Channels;
using Im.Client;
using Microsoft.Extensions.Logging;

namespace Im.IntegrationTests.Support;

/// <summary>A device with the real client: a loop reads its events at once and keeps them for the test, and what it logs is counted.</summary>
internal sealed class TestDevice : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly Channel<ImEvent> _events = Channel.CreateUnbounded<ImEvent>();
    private readonly ConcurrentDictionary<string, long> _seqs = new();
    private Task _reading = Task.CompletedTask;

    private TestDevice(ImClientOptions options) => Client = new ImClient(options);

    // Written by the reading task.
    private volatile bool _isHandling;

    public ImClient Client { get; }

    public ConcurrentQueue<string> Logged { get; private init; } = new();

    public ConcurrentQueue<ImClientState> States { get; } = new();

    /// <summary>How often it signed in.</summary>
    public int SignIns => Logged.Count(line => line.StartsWith("9001 ", StringComparison.Ordinal));

    /// <param name="server">The server.</param>
    /// <param name="transport">tcp or ws.</param>
    /// <param name="user">The user, who is the token too.</param>
    /// <param name="device">The device's id.</param>
    /// <param name="configure">Changes the options.</param>
    /// <param name="read">False: the test reads the events itself.</param>
    public static async Task<TestDevice> ConnectAsync(
        TestServer server, string transport, string user, string device = "d1", Action<ImClientOptions>? configure = null, bool read = true)
    {
        var log = new ConcurrentQueue<string>();
        var options = new ImClientOptions
        {
            Server = transport == "ws" ? server.WebSocketUri : new Uri($"tcp://{server.TcpEndpoint}"),
            DeviceId = device,
            TokenProvider = _ => ValueTask.FromResult(user),
            ReconnectMinDelay = TimeSpan.FromMilliseconds(20),
            ReconnectMaxDelay = TimeSpan.FromMilliseconds(200),
            CursorSaveInterval = TimeSpan.FromMilliseconds(20),
            Logger = new QueueLogger(log),
        };
        configure?.Invoke(options);
        var result = new TestDevice(options) { Logged = log };
        result.Client.StateChanged += (_, e) => result.States.Enqueue(e.State);
        if (read)
        {
            result._reading = result.ReadAllAsync();
        }

        await result.Client.ConnectAsync().WaitAsync(Limit);
        return result;
    }

    public async Task<T> NextAsync<T>()
        where T : ImEvent
    {
        Assert.True(await _events.Reader.WaitToReadAsync().AsTask().WaitAsync(Limit), "The client was disposed.");
        Assert.True(_events.Reader.TryRead(out var item));
        return Assert.IsType<T>(item);
    }

    /// <summary>The next messages, over all timelines; other entries are passed over.</summary>
    public async Task<List<ImEntryEvent>> NextMessagesAsync(int count)
    {
        var messages = new List<ImEntryEvent>();
        while (messages.Count < count)
        {
            if (await NextAsync<ImEntryEvent>() is { Entry.Content: not null } message)
            {
                messages.Add(message);
            }
        }

        return messages;
    }

    public async Task<string[]> NextTextsAsync(int count) => [.. (await NextMessagesAsync(count)).Select(m => m.Entry.Content.Text)];

    public void AssertNothingMore() => Assert.False(_events.Reader.TryPeek(out var more), $"There is more: {more}");

    public Task<ImSendAck> SendAsync(ImTarget target, string text) => Client.SendTextAsync(target, text).WaitAsync(Limit);

    /// <summary>Ends the client when what the test has seen counts as handled: another client of the device goes on after it.</summary>
    public async ValueTask DisposeAsync()
    {
        await UntilAsync(() => !_isHandling || _reading.IsCompleted);
        await Client.DisposeAsync().AsTask().WaitAsync(Limit);
        await _reading.WaitAsync(Limit);
    }

    public static async Task UntilAsync(Func<bool> condition)
    {
        var deadline = DateTime.UtcNow + Limit;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, "The condition was not met in time.");
            await Task.Delay(5);
        }
    }

    private async Task ReadAllAsync()
    {
        try
        {
            await using var events = Client.ReadAsync().GetAsyncEnumerator();
            while (true)
            {
                // Asking for the next event is what says that the last one was handled.
                var next = events.MoveNextAsync();
                _isHandling = false;
                if (!await next)
                {
                    break;
                }

                _isHandling = true;
                var item = events.Current;
                switch (item)
                {
                    case ImResetEvent reset:
                        _seqs.Clear();
                        _seqs[""] = reset.InboxSeq;
                        break;
                    case ImEntryEvent entry:
                        var timeline = entry.ConversationId ?? "";
                        if (_seqs.TryGetValue(timeline, out var last) && entry.Seq != last + 1)
                        {
                            throw new InvalidOperationException($"Seq {entry.Seq} of {timeline} came after {last}.");
                        }

                        _seqs[timeline] = entry.Seq;
                        break;
                }

                _events.Writer.TryWrite(item);
            }

            _events.Writer.Complete();
        }
        catch (Exception e)
        {
            // The test sees it at its next read.
            _events.Writer.Complete(e);
        }
    }

    private sealed class QueueLogger(ConcurrentQueue<string> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{eventId.Id} {formatter(state, exception)}");
    }
}
