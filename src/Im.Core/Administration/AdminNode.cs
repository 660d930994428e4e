using System.Text.Json.Serialization;

namespace Im.Administration;

/// <summary>How well a node is.</summary>
public enum AdminHealth
{
    /// <summary>It did not answer.</summary>
    Unknown,

    /// <summary>It takes messages.</summary>
    Healthy,

    /// <summary>It takes messages, but something is wrong.</summary>
    Degraded,

    /// <summary>It is to get no traffic.</summary>
    Unhealthy,
}

/// <summary>A node of the cluster, in short.</summary>
public sealed record AdminNode
{
    /// <summary>Its unique name.</summary>
    public required string Name { get; init; }

    /// <summary>Rises at each start and lost lease; 0 = it has not joined.</summary>
    public required long Epoch { get; init; }

    /// <summary>Random for each start of the process.</summary>
    public required string InstanceId { get; init; }

    /// <summary>The version of the packages.</summary>
    public required string Version { get; init; }

    /// <summary>When it joined, by the directory's clock; 0 = not known.</summary>
    public required long JoinedMs { get; init; }

    /// <summary>Whether this is the node that was asked.</summary>
    public required bool IsThis { get; init; }

    /// <summary>Whether it answered in time. If not, the health is unknown and the numbers are 0.</summary>
    public required bool Answered { get; init; }

    /// <summary>How well it is.</summary>
    public AdminHealth Health { get; init; }

    /// <summary>For people: what its health check says.</summary>
    public string HealthText { get; init; } = "";

    /// <summary>Open connections.</summary>
    public int Connections { get; init; }

    /// <summary>Signed-in devices.</summary>
    public int Sessions { get; init; }

    /// <summary>Users with a session on it.</summary>
    public int Users { get; init; }

    /// <summary>All that it said of itself; null where it did not answer.</summary>
    [JsonIgnore]
    public AdminNodeStatus? Status { get; init; }
}
