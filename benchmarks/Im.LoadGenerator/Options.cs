using Im.LoadGenerator.Wire;

namespace Im.LoadGenerator;

/// <summary>What the command line said; <see cref="OptionsParser"/> reads it.</summary>
internal sealed record Options
{
    public string Scenario { get; init; } = "";

    public TransportKind Transport { get; init; } = TransportKind.Tcp;

    public string Store { get; init; } = "memory";

    /// <summary>write, read, or null: what the server does by default.</summary>
    public string? Fanout { get; init; }

    public int Members { get; init; } = 500;

    public int Messages { get; init; } = 500;

    public int Rounds { get; init; } = 40;

    public int Warmup { get; init; } = 3;

    public int Connections { get; init; }

    public int InFlight { get; init; } = 1;

    public TimeSpan Tick { get; init; }

    public double Rate { get; init; } = 200;

    public int Seed { get; init; } = Environment.TickCount & 0x7FFFFFFF;

    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);

    public int Bytes { get; init; } = 100;

    public double SlowPercent { get; init; } = 10;

    public int Kills { get; init; } = 50;

    /// <summary>server, or store: what crash kills.</summary>
    public string Kill { get; init; } = "server";

    /// <summary>The address of a server that runs already; null = start one.</summary>
    public string? Server { get; init; }

    /// <summary>The process of that server, where it runs on this machine.</summary>
    public int? Pid { get; init; }

    public string User { get; init; } = "u{0}";

    public string Token { get; init; } = "{0}";

    /// <summary>The group's id; null = a new one where the server is ours.</summary>
    public string? Group { get; init; }

    public TimeSpan DeviceAcks { get; init; } = TimeSpan.FromSeconds(1);

    public bool NoDeviceAcks { get; init; }

    /// <summary>How long nothing may arrive before the run is given up.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Passed on to the server that is started: <c>Im:MaxBatchMessages=500</c>.</summary>
    public IReadOnlyList<string> ServerOptions { get; init; } = [];

    /// <summary>Where durable stores keep their files; null = a temporary folder that is removed.</summary>
    public string? Data { get; init; }

    public bool Json { get; init; }

    public bool IsOwnServer => Server is null;
}
