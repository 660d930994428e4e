namespace Im.Transport.WebSockets.Internal;

/// <summary>Numbers of this package's log events, 2100–2199. A number is never used for something else.</summary>
internal static class EventIds
{
    public const int Connected = 2100;
    public const int Disconnected = 2101;
    public const int ConnectionFailed = 2102;
    public const int WriteFailed = 2103;
    public const int Refused = 2104;
    public const int BadInput = 2105;
    public const int CloseTimedOut = 2106;
    public const int Crashed = 2107;
}
