using System.Collections;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Im.Client;
using Im.Protocol;

namespace Im.ClusterTests.Load;

/// <summary>A device that reads everything through the client library and checks each entry as it comes.</summary>
/// <remarks>One reading task owns what was received; the driver looks at it after the end only.</remarks>
internal sealed class TestDevice : IAsyncDisposable
{
    public const string Prefix = "m";

    private readonly MessageBook _book;
    private readonly Problems _problems;
    private readonly Interruptions _interruptions;
    private readonly BitArray _received;
    private readonly Dictionary<string, long> _lastSeqs = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _reset = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _inboxSeq = -1;
    private int _resets;
    private Task _reading = Task.CompletedTask;

    public TestDevice(string userId, string deviceId, IReadOnlyList<Uri> servers, MessageBook book, Problems problems, Interruptions interruptions)
    {
        UserId = userId;
        DeviceId = deviceId;
        Home = servers[0];
        _book = book;
        _problems = problems;
        _interruptions = interruptions;
        _received = new BitArray(book.Capacity);
        Client = new ImClient(new ImClientOptions
        {
            Server = servers[0],
            MoreServers = [.. servers.Skip(1)],
            DeviceId = deviceId,
            TokenProvider = _ =>
            {
                Attempts.Enqueue(Stopwatch.GetTimestamp());
                return ValueTask.FromResult(userId);
            },
            ReconnectMinDelay = TimeSpan.FromMilliseconds(100),
            ReconnectMaxDelay = TimeSpan.FromSeconds(2),
            ConnectTimeout = TimeSpan.FromSeconds(3),
            // A frozen node is noticed by them.
            PingInterval = TimeSpan.FromSeconds(1),
            PingTimeout = TimeSpan.FromSeconds(1.5),
            RequestTimeout = TimeSpan.FromMinutes(5),
        });
    }

    public string UserId { get; }

    public string DeviceId { get; }

    /// <summary>The node that it began at.</summary>
    public Uri Home { get; }

    public ImClient Client { get; }

    /// <summary>When it began to connect, each time.</summary>
    public ConcurrentQueue<long> Attempts { get; } = [];

    /// <summary>Sends without an ack yet; the driver's loop and the sends' ends.</summary>
    public int InFlight;

    /// <summary>Connects, and waits for the snapshot: what follows is counted.</summary>
    public async Task StartAsync()
    {
        _reading = ReadAsync();
        await Client.ConnectAsync().WaitAsync(TimeSpan.FromSeconds(30));
        await _reset.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    public bool Has(int number) => _received[number];

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await _reading.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private async Task ReadAsync()
    {
        try
        {
            await foreach (var received in Client.ReadAsync())
            {
                switch (received)
                {
                    case ImResetEvent reset:
                        if (++_resets > 1)
                        {
                            _problems.Add($"{this} began anew: its cursors were not usable.");
                        }

                        _inboxSeq = reset.InboxSeq;
                        _reset.TrySetResult();
                        break;
                    case ImEntryEvent entry:
                        Handle(entry);
                        break;
                }
            }
        }
        catch (Exception exception)
        {
            _problems.Add($"{this} was closed for good: {exception.Message}");
            _reset.TrySetException(exception);
        }
    }

    private void Handle(ImEntryEvent received)
    {
        var entry = received.Entry;
        if (received.IsInbox)
        {
            if (received.Seq != _inboxSeq + 1)
            {
                _problems.Add($"{this} got inbox entry {received.Seq} after {_inboxSeq}.");
            }

            _inboxSeq = received.Seq;
        }

        if (entry.Content?.Text is not { } text || !text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return;
        }

        var last = _lastSeqs.GetValueOrDefault(entry.ConversationId);
        if (entry.ConversationSeq <= last)
        {
            _problems.Add($"{this} got {entry.ConversationSeq} of {entry.ConversationId} after {last}.");
        }

        _lastSeqs[entry.ConversationId] = entry.ConversationSeq;
        var end = text.IndexOf(' ');
        var number = int.Parse(text.AsSpan(Prefix.Length, (end < 0 ? text.Length : end) - Prefix.Length), CultureInfo.InvariantCulture);
        if (_received[number])
        {
            _problems.Add($"{this} got message {number} twice.");
            return;
        }

        _received[number] = true;
        _interruptions.Received(_book.Receive(number, entry.ConversationSeq));
    }

    public override string ToString() => $"{UserId}/{DeviceId}";
}
