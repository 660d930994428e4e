using Im.LoadGenerator.Clients;

namespace Im.LoadGenerator.Server;

/// <summary>Somebody's own server: an address, and its process if it was named.</summary>
internal sealed class ForeignServer(Options options) : IServer
{
    public Target Target { get; } = Target.Parse(options.Server!, options.Transport);

    public int? Pid => options.Pid;

    public int? StorePid => null;

    public void CreateGroup(string groupId, string? fanout, int first, int count)
    {
    }

    public long? GetAllocatedBytes() => null;

    public void Collect()
    {
    }

    public void Dispose()
    {
    }
}
