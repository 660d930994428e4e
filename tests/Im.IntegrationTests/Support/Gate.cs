using Im.Diagnostics;

namespace Im.IntegrationTests.Support;

/// <summary>Holds the server at the next checkpoint of a kind until it is released.</summary>
internal sealed class Gate : IDisposable
{
    private readonly Checkpoints _checkpoints;
    private readonly Checkpoint _checkpoint;
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<Checkpoint, string, ValueTask>? _next;

    public Gate(Checkpoints checkpoints, Checkpoint checkpoint)
    {
        _checkpoints = checkpoints;
        _checkpoint = checkpoint;
        _next = checkpoints.OnReached;
        checkpoints.OnReached = OnReachedAsync;
    }

    /// <summary>Ends when the server stands at the checkpoint.</summary>
    public Task ReachedAsync() => _reached.Task.InTimeAsync();

    public void Release() => _released.TrySetResult();

    public void Dispose()
    {
        _checkpoints.OnReached = _next;
        Release();
    }

    private async ValueTask OnReachedAsync(Checkpoint checkpoint, string id)
    {
        if (_next is not null)
        {
            await _next(checkpoint, id);
        }

        // Only the first one is held.
        if (checkpoint == _checkpoint && _reached.TrySetResult())
        {
            await _released.Task;
        }
    }
}
