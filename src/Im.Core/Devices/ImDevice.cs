namespace Im.Devices;

/// <summary>One installation of a client, as it described itself at its last sign-in.</summary>
public sealed record ImDevice
{
    /// <summary>The user.</summary>
    public required string UserId { get; init; }

    /// <summary>Unique for the user, 1–64 bytes.</summary>
    public required string DeviceId { get; init; }

    /// <summary>For example "phone" or "web".</summary>
    public string Type { get; init; } = "";

    /// <summary>The maker.</summary>
    public string Brand { get; init; } = "";

    /// <summary>The model.</summary>
    public string Model { get; init; } = "";

    /// <summary>The operating system.</summary>
    public string Os { get; init; } = "";

    /// <summary>The client's version.</summary>
    public string ClientVersion { get; init; } = "";

    /// <summary>When it last signed in, unix milliseconds UTC.</summary>
    public long LastSignInMs { get; init; }
}
