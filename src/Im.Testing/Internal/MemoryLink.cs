using System.IO.Pipelines;

namespace Im.Testing.Internal;

/// <summary>One in-memory connection's wires: a pipe each way, which a test can hold and cut.</summary>
/// <remarks>
/// <code>
///   client ──ToServer──▶ server     bounded: who writes waits while the other does not read
///   client ◀──ToClient── server     held: bytes wait on the way; cut: bytes on the way are lost
/// </code>
/// </remarks>
internal sealed class MemoryLink
{
    private const int BufferBytes = 64 * 1024;

    private readonly CancellationTokenSource _cut = new();
    private TaskCompletionSource? _held;

    public Pipe ToServer { get; } = NewPipe();

    public Pipe ToClient { get; } = NewPipe();

    /// <summary>Cancelled when the network is cut, or when the server cuts the connection.</summary>
    public CancellationToken WhenCut => _cut.Token;

    public bool IsCut => _cut.IsCancellationRequested;

    /// <summary>Both ends notice; what is on the way is lost. Can be called several times.</summary>
    public void Cut()
    {
        _cut.Cancel();
        Release();
    }

    /// <summary>Nothing arrives at the client any more, until <see cref="Release"/>.</summary>
    public void Hold() => Interlocked.CompareExchange(ref _held, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), null);

    public void Release() => Interlocked.Exchange(ref _held, null)?.TrySetResult();

    /// <summary>Null: bytes may go to the client.</summary>
    public Task? Held => Volatile.Read(ref _held)?.Task;

    private static Pipe NewPipe() => new(new PipeOptions(
        pauseWriterThreshold: BufferBytes, resumeWriterThreshold: BufferBytes / 2, useSynchronizationContext: false));
}
