using Im.LoadGenerator.Clients;

namespace Im.LoadGenerator.Server;

/// <summary>The server under load: started here, or somebody's own.</summary>
internal interface IServer : IDisposable
{
    Target Target { get; }

    /// <summary>Its process on this machine; null where nothing is known of it.</summary>
    int? Pid { get; }

    /// <summary>The database's process on this machine; null where there is none apart.</summary>
    int? StorePid { get; }

    /// <summary>Creates a group of users first … first + count - 1; a server that was not started here must have it already.</summary>
    void CreateGroup(string groupId, string? fanout, int first, int count);

    /// <summary>Bytes allocated since its start, or null.</summary>
    long? GetAllocatedBytes();

    /// <summary>One full collection, where that can be asked for.</summary>
    void Collect();
}
