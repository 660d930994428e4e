using Im.Diagnostics;
using Im.Messaging.Queue;
using Im.Model;
using Im.Storage;
using Im.Storage.InMemory;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Im.Core.Tests.Messaging.Queue;

/// <summary>A server over a shared in-memory store, whose commits can be held and whose queue can fail.</summary>
internal sealed class QueueServer : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    public static readonly TimeSpan Lease = TimeSpan.FromMilliseconds(600);

    private readonly IHost _host;
    private volatile TaskCompletionSource? _hold;

    private QueueServer(IHost host)
    {
        _host = host;
        host.Services.GetRequiredService<Checkpoints>().OnReached = async (checkpoint, _) =>
        {
            if (checkpoint == Checkpoint.BeforeAppend)
            {
                if (_hold is { } hold)
                {
                    await hold.Task.WaitAsync(Patience);
                }

                if (Interlocked.Decrement(ref CommitFailures) >= 0)
                {
                    throw new ImStorageException("The test says so.");
                }
            }
        };
    }

    /// <summary>How many of the next commits fail.</summary>
    public int CommitFailures;

    public IImServer Im => _host.Services.GetRequiredService<IImServer>();

    public IServiceProvider Services => _host.Services;

    public TroubledQueue Queue => (TroubledQueue)_host.Services.GetRequiredService<ISendQueue>();

    public Listener Dropped => (Listener)_host.Services.GetServices<IQueuedSendListener>().Single();

    public static async Task<QueueServer> StartAsync(
        InMemoryState? state = null,
        Action<ImServerOptions>? configure = null,
        Action<IImServerBuilder>? build = null,
        string? node = null,
        TimeProvider? time = null,
        bool holdCommits = false)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddSingleton(state ?? new InMemoryState());
        builder.Services.AddSingleton<ISendQueue>(provider => new TroubledQueue(new InMemorySendQueue(provider.GetRequiredService<InMemoryState>())));
        var im = builder.Services.AddImServer(options =>
        {
            options.NodeName = node ?? "im-1";
            options.QueueSendsAbove = 10;
            options.SendQueueLease = Lease;
            configure?.Invoke(options);
        }).AddUserProvider<Everybody>().AddQueuedSendListener<Listener>();
        build?.Invoke(im);
        var server = new QueueServer(builder.Build());
        if (holdCommits)
        {
            server.HoldCommits();
        }

        await server._host.StartAsync().WaitAsync(Patience);
        return server;
    }

    public void HoldCommits() => _hold = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ReleaseCommits()
    {
        var hold = _hold;
        _hold = null;
        hold?.SetResult();
    }

    public Task<IReadOnlyList<ImSendResult>> SendAsync(string sender, IEnumerable<string> texts, string to = "cid") =>
        Im.Messages.SendAsync([.. texts.Select(text => Message(sender, text, to))]).AsTask().WaitAsync(Patience);

    public static OutgoingMessage Message(string sender, string text, string to = "cid") => new()
    {
        SenderId = sender,
        ToUserId = to,
        ClientMessageId = $"{sender}-{text}",
        Content = MessageContent.FromText(text),
    };

    /// <summary>Sends so many that the later ones are queued, and waits until the queue is drained.</summary>
    public async Task<IReadOnlyList<ImSendResult>> SendInAPeakAsync(string sender, IEnumerable<string> texts)
    {
        HoldCommits();
        var sending = SendAsync(sender, texts);
        await UntilAsync(() => Services.GetRequiredService<SendQueueGate>().IsQueueing);
        ReleaseCommits();
        return await sending;
    }

    public async Task<IReadOnlyList<string>> HistoryAsync(string one, string other) =>
    [
        .. (await Im.Conversations.ReadHistoryAsync(one, ConversationId.Direct(one, other), null, 500).AsTask().WaitAsync(Patience))
            .Select(entry => entry.Content!.Text),
    ];

    public async Task UntilHistoryAsync(string one, string other, IEnumerable<string> texts)
    {
        string[] expected = [.. texts];
        using var deadline = new CancellationTokenSource(Patience);
        IReadOnlyList<string> seen;
        while (!(seen = await HistoryAsync(one, other)).SequenceEqual(expected))
        {
            Assert.True(seen.Count <= expected.Length && !deadline.IsCancellationRequested, $"Stored: {string.Join(", ", seen)}");
            await Task.Delay(10, CancellationToken.None);
        }
    }

    public static async Task UntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (!condition())
        {
            await Task.Delay(5, deadline.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        ReleaseCommits();
        await _host.StopAsync().WaitAsync(Patience);
        _host.Dispose();
    }

    internal sealed class Listener : IQueuedSendListener
    {
        private readonly List<DroppedSend> _sends = [];

        public IReadOnlyList<DroppedSend> Sends
        {
            get
            {
                lock (_sends)
                {
                    return [.. _sends];
                }
            }
        }

        public ValueTask DroppedAsync(DroppedSend send, CancellationToken cancellationToken)
        {
            lock (_sends)
            {
                _sends.Add(send);
            }

            return ValueTask.CompletedTask;
        }
    }

    private sealed class Everybody : IUserProvider
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
            ValueTask.FromResult(AuthenticationResult.Success(request.Token));

        public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Where(id => id != "nobody").Select(userId => new ImUser(userId))]);
    }
}
