using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Outbox.Internal;

/// <summary>Sends a page of rows, each conversation's in order, many conversations at once.</summary>
/// <remarks>
/// One call to the server has at most one message of a conversation: if it fails, the next one of that conversation has not been sent yet, so
/// nothing overtakes. Used by the relay's loop only.
/// </remarks>
internal sealed class OutboxSender(
    IImMessages messages,
    HeldBack heldBack,
    RelayLease lease,
    OutboxMetrics metrics,
    TimeProvider time,
    IOptions<ImOutboxOptions> options,
    ILogger<OutboxSender> logger)
{
    /// <summary>Sends what can be sent now.</summary>
    /// <param name="rows">In id order.</param>
    /// <param name="waiting">
    /// The conversations that have a row before these which stays where it is; theirs stay too. Those of which one stays now are added.
    /// </param>
    /// <param name="stopping">No new call is begun after it.</param>
    /// <param name="giveUp">A call in hand is not waited for any longer; its messages stay and are sent again.</param>
    public async Task<SendReport> SendAsync(
        IReadOnlyList<OutboxRow> rows, HashSet<string> waiting, CancellationToken stopping, CancellationToken giveUp)
    {
        var report = new SendReport();
        var conversations = Group(rows, report);
        var overtaking = conversations.FindAll(conversation => waiting.Contains(conversation.Id));
        conversations.RemoveAll(conversation => waiting.Contains(conversation.Id));
        while (!report.Stopped && NextCall(conversations) is { Count: > 0 } call)
        {
            if (stopping.IsCancellationRequested || !await lease.HoldAsync())
            {
                report.Stopped = true;
                break;
            }

            var results = await TrySendAsync(call, giveUp);
            Apply(call, results, report);
        }

        waiting.UnionWith(conversations.Where(conversation => conversation.Rows.Count > 0).Select(conversation => conversation.Id));
        report.Kept = conversations.Concat(overtaking).Sum(conversation => conversation.Rows.Count);
        return report;
    }

    private List<Waiting> Group(IReadOnlyList<OutboxRow> rows, SendReport report)
    {
        var conversations = new List<Waiting>();
        var byId = new Dictionary<string, Waiting>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            OutgoingMessage message;
            try
            {
                message = OutboxPayload.Read(row.Id, row.Payload);
            }
            catch (Exception exception)
            {
                Refuse(report, row.Id, "", "", ImErrorCode.InvalidArgument, "The payload cannot be read: " + exception.Message);
                continue;
            }

            var id = string.IsNullOrEmpty(message.ConversationId)
                ? ConversationId.Direct(message.SenderId, message.ToUserId ?? "")
                : message.ConversationId;
            if (!byId.TryGetValue(id, out var waiting))
            {
                byId.Add(id, waiting = new Waiting(id));
                conversations.Add(waiting);
            }

            waiting.Rows.Enqueue((row, message));
        }

        return conversations;
    }

    // The first message of every conversation that is well; when there is none, that of one which was held back and is due.
    private List<Waiting> NextCall(List<Waiting> conversations)
    {
        conversations.RemoveAll(conversation => conversation.Rows.Count == 0);
        var call = heldBack.IsFull ? [] : conversations.FindAll(conversation => !heldBack.Contains(conversation.Id));
        if (call.Count == 0 && conversations.Find(conversation => heldBack.Contains(conversation.Id) && heldBack.IsDue(conversation.Id)) is { } due)
        {
            call.Add(due);
        }

        return call;
    }

    private async Task<IReadOnlyList<ImSendResult>?> TrySendAsync(List<Waiting> call, CancellationToken giveUp)
    {
        try
        {
            using var timeout = new CancellationTokenSource(options.Value.SendTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, giveUp);
            var sending = messages.SendAsync([.. call.Select(conversation => conversation.Rows.Peek().Message)], either.Token).AsTask();
            await lease.HoldDuringAsync(sending);
            return await sending;
        }
        catch (Exception exception)
        {
            // Whatever it was, nothing is known of the messages: they are sent again, under the same ids.
            Log.SendFailed(logger, call.Count, exception);
            return null;
        }
    }

    private void Apply(List<Waiting> call, IReadOnlyList<ImSendResult>? results, SendReport report)
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        var accepted = 0;
        var unavailable = 0;
        for (var i = 0; i < call.Count; i++)
        {
            var result = results?[i];
            if (result is { Outcome: ImSendOutcome.Stored or ImSendOutcome.Duplicate or ImSendOutcome.Queued })
            {
                accepted++;
                var row = Remove(call[i]);
                report.Sent.Add(row.Id);
                metrics.Sent(NameOf(result.Outcome), TimeSpan.FromMilliseconds(now - row.TimeMs));
            }
            else if (result is null || IsOfTheServer(result.Code))
            {
                unavailable++;
                metrics.HeldBack();
                heldBack.Fail(call[i].Id);
            }
            else
            {
                RefuseOrHoldBack(call[i], result, report);
            }
        }

        if (results is not null && unavailable > 0)
        {
            Log.ServerUnavailable(logger, unavailable);
        }

        // Nothing went through: the server is down rather than a message bad, and more of them would only wait for their turn to fail.
        report.Stopped |= accepted == 0 && unavailable > 0;
    }

    private void RefuseOrHoldBack(Waiting conversation, ImSendResult result, SendReport report)
    {
        var (row, message) = conversation.Rows.Peek();
        var (code, reason) = (result.Code, result.Message);
        if (!IsForGood(result))
        {
            if (!heldBack.Fail(conversation.Id))
            {
                metrics.HeldBack();
                Log.MessageHeldBack(logger, row.Id, message.SenderId, conversation.Id, code, reason);
                return;
            }

            reason = $"Given up after {options.Value.GiveUpAfter}: {reason}";
        }

        Remove(conversation);
        Refuse(report, row.Id, message.SenderId, conversation.Id, code, reason);
    }

    private OutboxRow Remove(Waiting conversation)
    {
        heldBack.Succeed(conversation.Id);
        return conversation.Rows.Dequeue().Row;
    }

    private void Refuse(SendReport report, string id, string senderId, string conversationId, ImErrorCode code, string reason)
    {
        report.Refused.Add(new RefusedRow(id, $"{ImErrorCodes.GetName(code)}: {reason}"));
        metrics.Refused();
        Log.MessageRefused(logger, id, senderId, conversationId, code, reason);
    }

    // Sending the same message again could not end otherwise, unless somebody changes something.
    private static bool IsForGood(ImSendResult result) => result is
    {
        Outcome: ImSendOutcome.Rejected,
        Code: not (ImErrorCode.Internal or ImErrorCode.RateLimited or ImErrorCode.InterceptorTimeout or ImErrorCode.Conflict),
    };

    private static string NameOf(ImSendOutcome outcome) => outcome switch
    {
        ImSendOutcome.Duplicate => "duplicate",
        ImSendOutcome.Queued => "queued",
        _ => "stored",
    };

    private static bool IsOfTheServer(ImErrorCode code) => code is ImErrorCode.StorageUnavailable or ImErrorCode.ShuttingDown;

    /// <summary>A conversation's rows of the page, in order.</summary>
    private sealed record Waiting(string Id)
    {
        public Queue<(OutboxRow Row, OutgoingMessage Message)> Rows { get; } = new();
    }
}

/// <summary>What became of a page.</summary>
internal sealed class SendReport
{
    /// <summary>Stored, now or before.</summary>
    public List<string> Sent { get; } = [];

    public List<RefusedRow> Refused { get; } = [];

    /// <summary>How many stay where they are.</summary>
    public int Kept { get; set; }

    /// <summary>Do not go on with the next page.</summary>
    public bool Stopped { get; set; }
}
