using Im.Devices;

namespace Im.Presence;

/// <summary>One signed-in device.</summary>
/// <param name="Device">The device as it described itself.</param>
/// <param name="ConnectionId">Its connection.</param>
/// <param name="Transport">The transport's name.</param>
/// <param name="RemoteAddress">The client's address.</param>
/// <param name="SignedInMs">Since when, unix milliseconds UTC.</param>
/// <param name="NodeName">The node that has the connection. Where it does not answer, transport, address and the device's details are empty.</param>
public sealed record ImSession(ImDevice Device, string ConnectionId, string Transport, string RemoteAddress, long SignedInMs, string NodeName);
