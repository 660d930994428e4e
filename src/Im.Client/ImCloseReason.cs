using Im.Protocol;

namespace Im.Client;

/// <summary>Why a client ended.</summary>
/// <param name="Code">The server's close code; <see cref="ImCloseCode.Normal"/> after a dispose; null where there is none.</param>
/// <param name="Reason">The reason in words.</param>
/// <param name="Error">What <see cref="ImClient.ConnectAsync"/> and pending requests throw; null after a dispose.</param>
public sealed record ImCloseReason(ImCloseCode? Code, string Reason, Exception? Error);
