using Im.Diagnostics;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Microsoft.Extensions.Logging;

namespace Im.Messaging.Queue;

/// <summary>Sends rows of the queue through the pipeline, in order, and says which of them are done.</summary>
/// <remarks>
/// A row that cannot be sent now stays, and with it the later ones of the same sender and conversation: what the pipeline refuses at once is held back
/// here, what the committer refuses because the store failed is held back there (<see cref="ResendOrder"/>). Used by the drainer's loop only.
/// </remarks>
internal sealed class QueuedSender(
    SendPipeline pipeline, IEnumerable<IQueuedSendListener> listeners, ImMetrics metrics, ILogger<QueuedSender> logger)
{
    private const int MaxAttempts = 10;

    // Rows that failed for themselves, with how often. Those that leave the queue are removed; bounded by what a pass reads.
    private readonly Dictionary<long, int> _attempts = [];

    /// <summary>Sends the rows.</summary>
    /// <param name="rows">In order.</param>
    /// <param name="held">Senders and conversations of which an earlier row stayed; those of which one stays now are added.</param>
    /// <param name="giveUp">Commits in hand are not waited for any longer.</param>
    public async Task<QueuedSendReport> SendAsync(
        IReadOnlyList<QueuedRow> rows, HashSet<(string SenderId, string ConversationId)> held, CancellationToken giveUp)
    {
        var report = new QueuedSendReport();
        var sent = new List<(QueuedRow Row, HostMessage Message)>(rows.Count);
        foreach (var row in rows)
        {
            var key = (row.Send.SenderId, row.Send.ConversationId);
            if (held.Contains(key))
            {
                report.Kept++;
                continue;
            }

            HostMessage? message = null;
            try
            {
                message = ToMessage(row.Send);
                await pipeline.SubmitAsync(message, giveUp);
            }
            catch (Exception exception) when (!giveUp.IsCancellationRequested)
            {
                // A content that cannot be read, or the host's provider that failed.
                Log.QueuedSendFailed(logger, row.Id, exception);
                message ??= new HostMessage(metrics) { Origin = this, SenderId = row.Send.SenderId, ClientMessageId = row.Send.ClientMessageId, Content = new Content() };
                message.Refuse(ImErrorCode.Internal, "It could not be sent: " + exception.Message);
            }

            sent.Add((row, message));
            if (message.Result.IsCompletedSuccessfully && !IsOver(row, await message.Result))
            {
                held.Add(key);
            }
        }

        foreach (var (row, message) in sent)
        {
            await ApplyAsync(row, await message.Result.WaitAsync(giveUp), report, held, giveUp);
        }

        return report;
    }

    private HostMessage ToMessage(QueuedSend send) => new(metrics)
    {
        // One origin for all: what the store refuses once is not overtaken by later rows.
        Origin = this,
        SenderId = send.SenderId,
        ClientMessageId = send.ClientMessageId,
        TargetConversationId = send.ConversationId,
        Content = Content.Parser.ParseFrom(send.Content.Span),
    };

    private async ValueTask ApplyAsync(
        QueuedRow row, ImSendResult result, QueuedSendReport report, HashSet<(string SenderId, string ConversationId)> held, CancellationToken giveUp)
    {
        if (IsOfTheServer(result.Code))
        {
            report.IsServerDown = true;
        }

        if (!IsOver(row, result))
        {
            if (!IsOfTheServer(result.Code))
            {
                _attempts[row.Id] = _attempts.GetValueOrDefault(row.Id) + 1;
            }

            held.Add((row.Send.SenderId, row.Send.ConversationId));
            report.Kept++;
            return;
        }

        _attempts.Remove(row.Id);
        report.Done.Add(row.Id);
        if (result.Outcome == ImSendOutcome.Rejected)
        {
            await DropAsync(row, result, giveUp);
        }
    }

    private async ValueTask DropAsync(QueuedRow row, ImSendResult result, CancellationToken giveUp)
    {
        Log.QueuedSendDropped(logger, row.Send.SenderId, row.Send.ClientMessageId, row.Send.ConversationId, result.Code, result.Message);
        metrics.QueuedSendDropped(result.Code);
        foreach (var listener in listeners)
        {
            try
            {
                await listener.DroppedAsync(ToDropped(row.Send, result), giveUp);
            }
            catch (Exception exception) when (!giveUp.IsCancellationRequested)
            {
                Log.NotifierFailed(logger, listener.GetType().Name, 1, exception);
            }
        }
    }

    private static DroppedSend ToDropped(QueuedSend send, ImSendResult result)
    {
        Content content;
        try
        {
            content = Content.Parser.ParseFrom(send.Content.Span);
        }
        catch (Google.Protobuf.InvalidProtocolBufferException)
        {
            content = new Content();
        }

        var message = new OutgoingMessage
        {
            SenderId = send.SenderId,
            ConversationId = send.ConversationId,
            ClientMessageId = send.ClientMessageId,
            Content = ContentMapping.ToModel(content),
        };
        return new DroppedSend(message, DateTimeOffset.FromUnixTimeMilliseconds(send.TimeMs), result);
    }

    // Stored, or refused so that trying again cannot help, or has not helped.
    private bool IsOver(QueuedRow row, ImSendResult result) => result.Code switch
    {
        ImErrorCode.StorageUnavailable or ImErrorCode.ShuttingDown => false,
        ImErrorCode.Internal or ImErrorCode.InterceptorTimeout or ImErrorCode.Conflict or ImErrorCode.RateLimited =>
            _attempts.GetValueOrDefault(row.Id) + 1 >= MaxAttempts,
        _ => true,
    };

    private static bool IsOfTheServer(ImErrorCode code) => code is ImErrorCode.StorageUnavailable or ImErrorCode.ShuttingDown;
}

/// <summary>What became of some rows.</summary>
internal sealed class QueuedSendReport
{
    /// <summary>Stored, or refused for good: they leave the queue.</summary>
    public List<long> Done { get; } = [];

    /// <summary>How many stay for now.</summary>
    public int Kept { get; set; }

    /// <summary>The store takes nothing, or the server is shutting down.</summary>
    public bool IsServerDown { get; set; }
}
