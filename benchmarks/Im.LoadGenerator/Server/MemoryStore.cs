namespace Im.LoadGenerator.Server;

/// <summary>The server's own memory.</summary>
internal sealed class MemoryStore : IStore
{
    public IReadOnlyList<string> ServerArguments => ["--store", "memory"];

    public int? Pid => null;

    public void Kill() => throw new NotSupportedException();

    public void Restart() => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
