using Im.Protocol;
using Im.Storage;

namespace Im.Messaging;

/// <summary>A change of a conversation: its audience and the version it was computed from are fixed; a stale version is the caller's to handle.</summary>
internal sealed class PendingChange : PendingAppend
{
    private readonly TaskCompletionSource<AppendItemResult> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public required ConversationChange Change { get; init; }

    public required long ExpectedVersion { get; init; }

    public required Audience Audience { get; init; }

    /// <summary>Whose sessions begin to follow the conversation's own timeline with this entry.</summary>
    public IReadOnlyList<string> Opens { get; init; } = [];

    /// <summary>Whose sessions cease to follow it with the entry before this one.</summary>
    public IReadOnlyList<string> Closes { get; init; } = [];

    /// <summary>What the store said, <see cref="AppendOutcome.StaleVersion"/> included; <see cref="ImException"/> where it could say nothing.</summary>
    public Task<AppendItemResult> Completion => _answer.Task;

    public override void Answer(in AppendItemResult result) => _answer.TrySetResult(result);

    public override void Refuse(ImErrorCode code, string message) => _answer.TrySetException(new ImException(code, message));
}
