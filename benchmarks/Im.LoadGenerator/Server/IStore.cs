namespace Im.LoadGenerator.Server;

/// <summary>Where the started server keeps its messages.</summary>
internal interface IStore : IDisposable
{
    /// <summary>The arguments that tell the server.</summary>
    IReadOnlyList<string> ServerArguments { get; }

    /// <summary>The database's own process, if it has one.</summary>
    int? Pid { get; }

    /// <summary>SIGKILL to that process.</summary>
    void Kill();

    /// <summary>Starts it again on the same data and the same port.</summary>
    void Restart();
}
