using System.Data.Common;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Outbox.Internal;

/// <summary>The outbox's life inside its host: the table before anything starts, the relay after the server has, and its end before the server drains.</summary>
internal sealed class OutboxHost(
    OutboxDatabase database,
    OutboxTable table,
    OutboxRelay relay,
    TimeProvider time,
    IOptions<ImOutboxOptions> options,
    IOptions<ImServerOptions> server,
    ILogger<OutboxHost> logger) : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _giveUp = new();
    private Task _running = Task.CompletedTask;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        try
        {
            await EnsureTableAsync().WaitAsync(cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new InvalidOperationException(
                $"The outbox cannot use its table {options.Value.TableName} in the host's database ({exception.Message}). Check the connection string, and that the "
                + "account may create tables; or run what ImOutboxSchema.Script(dialect) prints and set ImOutboxOptions.CreateTable = false.",
                exception);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _running = relay.RunAsync(_stopping.Token, _giveUp.Token);
        return Task.CompletedTask;
    }

    // Hosted services stop in the reverse order of their registration, so the server that takes the messages drains after this.
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (_giveUp.IsCancellationRequested)
        {
            return;
        }

        await _stopping.CancelAsync();
        using var timeout = new CancellationTokenSource(server.Value.DrainTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await _running.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            Log.StopTimedOut(logger, server.Value.DrainTimeout);
            await _giveUp.CancelAsync();
        }
    }

    // A host that does not know lifecycle services only calls this.
    public Task StopAsync(CancellationToken cancellationToken) => StoppingAsync(cancellationToken);

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Ends the relay of a host that was never stopped, because it never quite started.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        _giveUp.Cancel();
    }

    private async Task EnsureTableAsync()
    {
        if (!options.Value.CreateTable || await IsThereAsync())
        {
            await database.RunAsync(table.Probe);
        }
        else
        {
            await CreateAsync();
        }

        try
        {
            await database.RunAsync(table.EnsureLease);
        }
        catch (DbException)
        {
            // Another node was faster.
        }
    }

    // The statement that creates it needs rights that a table which is there does not.
    private async Task<bool> IsThereAsync()
    {
        try
        {
            await database.RunAsync(table.Probe);
            return true;
        }
        catch (DbException)
        {
            return false;
        }
    }

    private async Task CreateAsync()
    {
        try
        {
            await database.RunAsync(table.Create);
            Log.TableCreated(logger, options.Value.TableName);
        }
        catch (DbException)
        {
            // Several nodes at once: one may fail because another is creating it.
            if (!await IsThereAsync())
            {
                throw;
            }
        }
    }

}
