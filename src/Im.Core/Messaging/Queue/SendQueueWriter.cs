using System.Threading.Channels;
using Google.Protobuf;
using Im.Diagnostics;
using Im.Protocol;
using Im.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Messaging.Queue;

/// <summary>Writes sends into the store's queue, in the order in which they came, many in one transaction; then they have their answer.</summary>
/// <remarks>One loop writes; callers wait while its own short queue is full.</remarks>
internal sealed class SendQueueWriter(
    SendQueueGate gate, SendQueueDrainer drainer, TimeProvider time, IOptions<ImServerOptions> options, ILogger<SendQueueWriter> logger)
{
    private const int MaxWaiting = 2000;

    private readonly ImServerOptions _options = options.Value;
    private readonly Channel<HostMessage> _waiting = Channel.CreateBounded<HostMessage>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    /// <summary>Hands a checked message over, which is answered later.</summary>
    public async ValueTask AddAsync(HostMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await _waiting.Writer.WriteAsync(message, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            message.Refuse(CommitFailure.ShuttingDown.Code, CommitFailure.ShuttingDown.Message);
        }
    }

    /// <summary>Writes until the token is cancelled, and then what it has taken.</summary>
    public async Task RunAsync(ISendQueue store, CancellationToken stopping, CancellationToken giveUp)
    {
        using var completing = stopping.UnsafeRegister(static writer => ((ChannelWriter<HostMessage>)writer!).TryComplete(), _waiting.Writer);
        while (await _waiting.Reader.WaitToReadAsync(CancellationToken.None))
        {
            // What went straight before these is answered first, whatever becomes of it.
            await gate.DirectEndedAsync().WaitAsync(giveUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var batch = Take();
            await WriteAsync(store, batch);
        }
    }

    private List<HostMessage> Take()
    {
        var batch = new List<HostMessage>();
        var bytes = 0L;
        while (batch.Count < _options.MaxBatchMessages && bytes < _options.MaxBatchBytes && _waiting.Reader.TryRead(out var message))
        {
            batch.Add(message);
            bytes += message.Content.CalculateSize();
        }

        return batch;
    }

    private async Task WriteAsync(ISendQueue store, List<HostMessage> batch)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        try
        {
            var sends = batch.ConvertAll(message => new QueuedSend
            {
                NodeName = _options.NodeName,
                TimeMs = now,
                SenderId = message.SenderId,
                ClientMessageId = message.ClientMessageId,
                ConversationId = message.ConversationId,
                Content = message.Content.ToByteArray(),
            });
            if (await store.AddAsync(sends, _options.MaxQueuedSends, CancellationToken.None))
            {
                batch.ForEach(message => message.Queued(now));
                drainer.Nudge();
                return;
            }

            Log.SendQueueFull(logger, _options.MaxQueuedSends, batch.Count);
            batch.ForEach(message => message.TryRefuse(
                ImErrorCode.RateLimited, $"The queue of sends is full ({_options.MaxQueuedSends}): send again later with the same ClientMessageId, or raise ImServerOptions.MaxQueuedSends.", logger));
        }
        catch (Exception exception)
        {
            // They may be in the queue all the same; sent again under the same ids they are stored once.
            Log.SendsNotQueued(logger, batch.Count, exception);
            batch.ForEach(message => message.TryRefuse(CommitFailure.Unavailable.Code, CommitFailure.Unavailable.Message, logger));
        }
    }
}
