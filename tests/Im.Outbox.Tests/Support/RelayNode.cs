using Im.Messaging;
using Im.Model;
using Im.Outbox.Internal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Im.Outbox.Tests.Support;

/// <summary>A host with an outbox; its relay sends into the <see cref="ImNode"/>.</summary>
internal sealed class RelayNode : IAsyncDisposable
{
    private readonly IHost _host;
    private bool _isStopped;

    private RelayNode(IHost host, HookedMessages messages, LogRecorder log)
    {
        _host = host;
        Messages = messages;
        Log = log;
        Outbox = host.Services.GetRequiredService<IImOutbox>();
    }

    public IImOutbox Outbox { get; }

    public HookedMessages Messages { get; }

    public LogRecorder Log { get; }

    public T Get<T>()
        where T : notnull => _host.Services.GetRequiredService<T>();

    public async Task<HealthStatus> HealthAsync() => (await Get<HealthCheckService>().CheckHealthAsync().Soon()).Status;

    /// <summary>A node whose relay does not run yet.</summary>
    public static RelayNode Create(
        ImNode im, TestDatabase database, Action<ImOutboxOptions>? configure = null, TimeProvider? time = null, Action<HookedMessages>? hook = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var log = new LogRecorder();
        builder.Logging.ClearProviders().AddProvider(log).AddFilter("Microsoft", LogLevel.None);
        var messages = new HookedMessages(im.Server.Messages);
        hook?.Invoke(messages);
        builder.Services.AddSingleton<IImMessages>(messages);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddImServer().AddUserProvider<AnyUsers>().AddImOutbox(database.DataSource, options =>
        {
            options.PollInterval = TimeSpan.FromMilliseconds(20);
            options.LeaseDuration = TimeSpan.FromMilliseconds(300);
            options.RetryMinDelay = TimeSpan.FromMilliseconds(10);
            options.RetryMaxDelay = TimeSpan.FromMilliseconds(50);
            configure?.Invoke(options);
        });
        builder.Services.AddHealthChecks().AddImOutbox().AddImOutbox();
        return new RelayNode(builder.Build(), messages, log);
    }

    public static async Task<RelayNode> StartAsync(
        ImNode im, TestDatabase database, Action<ImOutboxOptions>? configure = null, TimeProvider? time = null, Action<HookedMessages>? hook = null)
    {
        var node = Create(im, database, configure, time, hook);
        await node.StartAsync();
        return node;
    }

    public Task StartAsync() => _host.StartAsync().Soon();

    public async Task StopAsync()
    {
        _isStopped = true;
        await _host.StopAsync().Soon();
    }

    /// <summary>Enqueues in a transaction of its own and commits it.</summary>
    public async Task CommitAsync(TestDatabase database, params OutgoingMessage[] messages)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Outbox.EnqueueAsync(messages, transaction).Soon();
        await transaction.CommitAsync();
    }

    public static OutgoingMessage To(string userId, string text) =>
        new() { SenderId = "$orders", ToUserId = userId, Content = MessageContent.FromText(text) };

    public async ValueTask DisposeAsync()
    {
        if (!_isStopped)
        {
            await StopAsync();
        }

        _host.Dispose();
    }

    /// <summary>As a process that dies: nothing is finished or given up.</summary>
    public void Abandon()
    {
        _isStopped = true;
        Get<OutboxDatabase>().Dispose();
        _host.Dispose();
    }
}
