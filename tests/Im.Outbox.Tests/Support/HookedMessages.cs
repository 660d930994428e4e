using Im.Messaging;
using Im.Model;

namespace Im.Outbox.Tests.Support;

/// <summary>What a relay sends through: records the calls, and lets a test answer them, fail, or hold them.</summary>
internal sealed class HookedMessages(IImMessages inner) : IImMessages
{
    private readonly Lock _lock = new();
    private readonly List<IReadOnlyList<OutgoingMessage>> _calls = [];
    private readonly List<ImSendResult> _results = [];

    /// <summary>Called instead of sending where it answers.</summary>
    public Func<OutgoingMessage, ImSendResult?>? Answer { get; set; }

    public Func<IReadOnlyList<OutgoingMessage>, Task>? BeforeSend { get; set; }

    public Func<IReadOnlyList<ImSendResult>, CancellationToken, Task>? AfterSend { get; set; }

    public IReadOnlyList<IReadOnlyList<OutgoingMessage>> Calls
    {
        get
        {
            lock (_lock)
            {
                return [.. _calls];
            }
        }
    }

    public IReadOnlyList<ImSendResult> Results
    {
        get
        {
            lock (_lock)
            {
                return [.. _results];
            }
        }
    }

    public async ValueTask<ImSendResult> SendAsync(OutgoingMessage message, CancellationToken cancellationToken = default) =>
        (await SendAsync([message], cancellationToken))[0];

    public async ValueTask<IReadOnlyList<ImSendResult>> SendAsync(
        IReadOnlyList<OutgoingMessage> messages, CancellationToken cancellationToken = default)
    {
        lock (_lock)
        {
            _calls.Add(messages);
        }

        await (BeforeSend?.Invoke(messages) ?? Task.CompletedTask);
        var answers = messages.Select(message => Answer?.Invoke(message)).ToArray();
        var sent = await inner.SendAsync([.. messages.Where((_, i) => answers[i] is null)], cancellationToken);
        var next = 0;
        var results = answers.Select(answer => answer ?? sent[next++]).ToArray();
        lock (_lock)
        {
            _results.AddRange(results);
        }

        await (AfterSend?.Invoke(results, cancellationToken) ?? Task.CompletedTask);
        return results;
    }

    public static ImSendResult Rejected(OutgoingMessage message, ImErrorCode code) => new()
    {
        Outcome = ImSendOutcome.Rejected,
        ClientMessageId = message.ClientMessageId!,
        Code = code,
        Message = "The test says so.",
    };
}
