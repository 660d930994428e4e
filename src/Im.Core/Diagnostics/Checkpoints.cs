namespace Im.Diagnostics;

/// <summary>Places between the steps of sign-in, commit and going live, where a test can hold the server to force an interleaving.</summary>
internal enum Checkpoint
{
    /// <summary>A session stands in the registry as behind; its timelines have not been read. Id: connection.</summary>
    SignInRegistered,

    /// <summary>A session's timelines have been read and are not yet installed. Id: connection.</summary>
    SignInRead,

    /// <summary>A page of a conversation's own timeline is about to be read for a session. Id: connection.</summary>
    PageChosen,

    /// <summary>A page was read and is not yet queued, so the timeline is not yet live. Id: connection.</summary>
    PageRead,

    /// <summary>A batch is built and about to be appended. Id: batch number.</summary>
    BeforeAppend,

    /// <summary>A batch is committed; nobody has been told. Id: batch number.</summary>
    Committed,
}

/// <summary>Calls the test's hook; does nothing in production.</summary>
internal sealed class Checkpoints
{
    public Func<Checkpoint, string, ValueTask>? OnReached { get; set; }

    public ValueTask ReachAsync(Checkpoint checkpoint, string id) => OnReached?.Invoke(checkpoint, id) ?? ValueTask.CompletedTask;
}
