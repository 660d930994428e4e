using Im.Client;

namespace Im.ModelTests;

/// <summary>One installation of a client behind its own link: a process that can stop, crash, be replaced and start again, and what it has stored.</summary>
/// <remarks>The schedule, one thread of work, starts and stops it. The lock protects which life is the present one, the outbox and the saved cursors.</remarks>
internal sealed class Device : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly World _world;
    private readonly Random _tokens;
    private readonly Lock _gate = new();
    private readonly LinkedList<Outgoing> _outbox = [];
    private ImCursors _saved = ImCursors.None;
    private Life? _life;
    private TaskCompletionSource? _paused;
    private volatile int _pending;
    private int _slowMs;
    private long _lastOrder;

    public Device(World world, string userId, string deviceId, bool webSocket, bool shortTokens, int seed)
    {
        _world = world;
        _tokens = new Random(seed);
        UserId = userId;
        DeviceId = deviceId;
        IsWebSocket = webSocket;
        HasShortTokens = shortTokens;
        Link = new Link(() => webSocket ? world.WebSocketEndpoint : world.TcpEndpoint, world.Statistics);
        Log = new DeviceLog(Name, world.Violate, world.Statistics);
    }

    public string UserId { get; }

    public string DeviceId { get; }

    public string Name => $"{UserId}/{DeviceId}";

    public bool IsWebSocket { get; }

    public bool HasShortTokens { get; }

    public Link Link { get; }

    public DeviceLog Log { get; }

    /// <summary>How many of its messages have no answer yet.</summary>
    public int Pending => _pending;

    public bool IsRunning => _life is not null;

    public ImClient? Client => _life?.Client;

    public string State => $"{Name}: {(_life is { } life ? life.Client.State.ToString() : "stopped")}, {Pending} without answer, {Log.Count} stored";

    public void Start(string how)
    {
        lock (_gate)
        {
            Log.Begin(_saved, how);
            _life = new Life(this, _saved);
            foreach (var outgoing in _outbox)
            {
                Submit(_life, outgoing);
            }
        }
    }

    /// <summary>Ends the process; a crash saves nothing more.</summary>
    public async Task StopAsync(bool crash)
    {
        Life? life;
        lock (_gate)
        {
            life = _life;
            if (life is not null && crash)
            {
                life.IsRecording = life.IsSaving = false;
            }

            _life = null;
        }

        if (life is not null)
        {
            Resume();
            await life.DisposeAsync().AsTask().WaitAsync(Patience);
            Link.Forget();
        }
    }

    /// <summary>Starts the same device a second time beside the first: one of them must end as replaced, the other one goes on.</summary>
    public async Task ReplaceAsync()
    {
        Resume();
        Life old;
        Life young;
        lock (_gate)
        {
            old = _life!;
            old.IsRecording = old.IsSaving = false;
            Log.Begin(_saved, "started a second time");
            _life = young = new Life(this, _saved) { MayBeReplaced = true };
            old.MayBeReplaced = true;
            foreach (var outgoing in _outbox)
            {
                Submit(young, outgoing);
            }
        }

        var ended = await Task.WhenAny(old.Client.Closed, young.Client.Closed).WaitAsync(Patience);
        var reason = await ended;
        if (reason.Code != ImCloseCode.Replaced)
        {
            _world.Violate($"{Name}: started twice, one ended with {reason} instead of Replaced.");
        }

        _world.Statistics.Add(ended == old.Client.Closed ? "replaced: the older one" : "replaced: the younger one, as the older one reconnected after it");
        await old.DisposeAsync().AsTask().WaitAsync(Patience);
        if (ended == old.Client.Closed && !young.Client.Closed.IsCompleted)
        {
            young.MayBeReplaced = false;
            return;
        }

        await StopAsync(crash: false);
        Start("started again after a replacement");
    }

    /// <summary>The application takes no more events.</summary>
    public void Pause()
    {
        lock (_gate)
        {
            _paused ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>The application takes so long for each event.</summary>
    public void SetSlow(int milliseconds) => Volatile.Write(ref _slowMs, milliseconds);

    public void Resume()
    {
        TaskCompletionSource? paused;
        lock (_gate)
        {
            (paused, _paused) = (_paused, null);
        }

        paused?.SetResult();
    }

    public long NextOrder() => ++_lastOrder;

    public void Send(Outgoing outgoing)
    {
        lock (_gate)
        {
            _outbox.AddLast(outgoing);
            Interlocked.Increment(ref _pending);
            if (_life is { } life)
            {
                Submit(life, outgoing);
            }
        }
    }

    public string DescribeOutbox()
    {
        lock (_gate)
        {
            return string.Join("\n  ", _outbox);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(crash: true);
        await Link.DisposeAsync();
    }

    private void Submit(Life life, Outgoing outgoing) => _ = TrackAsync(life.Client.SendAsync(outgoing.ToMessage()), outgoing);

    private async Task TrackAsync(Task<ImSendAck> sending, Outgoing outgoing)
    {
        ImSendAck? ack = null;
        ImClientException? refusal = null;
        try
        {
            ack = await sending.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        }
        catch (ImClientException e) when (e.Failure == ImClientFailure.Refused)
        {
            refusal = e;
        }
        catch (Exception e) when (e is ImClientException or ObjectDisposedException)
        {
            // The process ended; the next one sends it again.
            return;
        }

        lock (_gate)
        {
            if (outgoing.IsDone)
            {
                return;
            }

            outgoing.Ack = ack;
            outgoing.Refusal = refusal;
            _outbox.Remove(outgoing);
        }

        Interlocked.Decrement(ref _pending);
        _world.OnAnswered(outgoing);
        outgoing.Check?.Invoke(outgoing);
    }

    private ValueTask<string> NextTokenAsync()
    {
        lock (_tokens)
        {
            if (!HasShortTokens)
            {
                return ValueTask.FromResult(UserId);
            }

            if (_tokens.Next(100) < 10)
            {
                _world.Statistics.Add("expired tokens shown at sign-in");
                return ValueTask.FromResult(UserId + "|expired");
            }

            return ValueTask.FromResult($"{UserId}|{_tokens.Next(300, 3000)}");
        }
    }

    /// <summary>One run of the process.</summary>
    private sealed class Life : ICursorStore, IAsyncDisposable
    {
        private readonly Device _device;
        private readonly ImCursors _cursors;
        private readonly Task _reading;

        public Life(Device device, ImCursors cursors)
        {
            _device = device;
            _cursors = cursors;
            Client = new ImClient(new ImClientOptions
            {
                Server = new Uri(device.IsWebSocket ? $"ws://127.0.0.1:{device.Link.Port}/im" : $"tcp://127.0.0.1:{device.Link.Port}"),
                DeviceId = device.DeviceId,
                CursorStore = this,
                TokenProvider = _ => device.NextTokenAsync(),
                ReconnectMinDelay = TimeSpan.FromMilliseconds(20),
                ReconnectMaxDelay = TimeSpan.FromMilliseconds(300),
                PingInterval = TimeSpan.FromSeconds(5),
                PingTimeout = TimeSpan.FromSeconds(5),
                EventBufferSize = 32,
                MaxInFlight = 32,
                CursorSaveInterval = TimeSpan.FromMilliseconds(200),
                CursorSaveEntries = 20,
            });
            _ = ConnectAsync();
            _reading = ReadAsync();
        }

        public ImClient Client { get; }

        /// <summary>Whether what it reads is the device's log. Guarded by the device's lock.</summary>
        public bool IsRecording { get; set; } = true;

        public bool IsSaving { get; set; } = true;

        public volatile bool MayBeReplaced;

        public ValueTask<ImCursors> LoadAsync(CancellationToken cancellationToken) => ValueTask.FromResult(_cursors);

        public ValueTask SaveAsync(ImCursors cursors, CancellationToken cancellationToken)
        {
            lock (_device._gate)
            {
                if (IsSaving)
                {
                    _device._saved = cursors;
                }
            }

            return ValueTask.CompletedTask;
        }

        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            await _reading;
        }

        private async Task ConnectAsync()
        {
            try
            {
                await Client.ConnectAsync();
            }
            catch (Exception e) when (e is ImClientException or ObjectDisposedException)
            {
                // Said by Closed too.
            }

            var reason = await Client.Closed;
            if (reason.Code == ImCloseCode.Replaced && !MayBeReplaced)
            {
                // A sign-in of an earlier start of the device was handled after the present one's: the server cannot know which start is newer.
                _device._world.EndedByOwnSignIn.Enqueue(_device);
            }
            else if (reason.Code != ImCloseCode.Normal && !(MayBeReplaced && reason.Code == ImCloseCode.Replaced))
            {
                _device._world.Violate($"{_device.Name} ended with {reason}.\n{_device.Log.Describe(DeviceLog.Inbox, 0)}");
            }
        }

        private async Task ReadAsync()
        {
            // The client may call on the thread that makes it, which holds the lock.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            try
            {
                await foreach (var received in Client.ReadAsync())
                {
                    while (Volatile.Read(ref _device._paused)?.Task is { } paused)
                    {
                        await paused;
                    }

                    if (Volatile.Read(ref _device._slowMs) is var delay and > 0)
                    {
                        await Task.Delay(delay);
                    }

                    lock (_device._gate)
                    {
                        if (IsRecording)
                        {
                            _device.Log.Record(received);
                        }
                    }
                }
            }
            catch (ImClientException)
            {
                // Said by Closed too.
            }
        }
    }
}
