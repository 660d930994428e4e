namespace Im.Transport.Tcp.Internal;

/// <summary>Log event ids of this package: 2000–2099. The id of an event that is gone is never used again.</summary>
internal static class EventIds
{
    public const int Listening = 2000;
    public const int StoppedListening = 2001;
    public const int AcceptRetried = 2002;
    public const int AcceptDelayed = 2003;
    public const int ConnectionAccepted = 2010;
    public const int ConnectionEnded = 2011;
    public const int ConnectionLost = 2012;
    public const int ConnectionFailed = 2013;
    public const int HandlerFailed = 2014;
    public const int CloseTimedOut = 2015;
    public const int ConnectionsLeft = 2020;
    public const int NoTls = 2021;
}
