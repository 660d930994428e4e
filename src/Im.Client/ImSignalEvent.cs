using Im.Protocol;

namespace Im.Client;

/// <summary>An event that is sent at most once and never stored.</summary>
/// <param name="Signal">The signal.</param>
public sealed record ImSignalEvent(Signal Signal) : ImEvent;
