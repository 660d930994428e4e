using Im.Protocol;

namespace Im.Testing;

/// <summary>How the server closed a device's connection.</summary>
/// <param name="Code">The code.</param>
/// <param name="Reason">A sentence for the client's developer.</param>
public sealed record ImTestClose(ImCloseCode Code, string Reason);
