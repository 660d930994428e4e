using System.Security.Claims;
using Im.Devices;

namespace Im.Users;

/// <summary>What is known of somebody who wants to sign in or refreshes a token.</summary>
public sealed record AuthenticationRequest
{
    /// <summary>The token as the client sent it; may be empty where <see cref="Principal"/> is set.</summary>
    public required string Token { get; init; }

    /// <summary>Which device signs in; <see cref="ImDevice.UserId"/> is empty here.</summary>
    public required ImDevice Device { get; init; }

    /// <summary>The transport's name, for example <c>tcp</c>.</summary>
    public required string Transport { get; init; }

    /// <summary>The client's address; empty where there is none.</summary>
    public required string RemoteAddress { get; init; }

    /// <summary>Who the host's own authentication says it is (an authorized WebSocket endpoint), or null.</summary>
    public ClaimsPrincipal? Principal { get; init; }
}
