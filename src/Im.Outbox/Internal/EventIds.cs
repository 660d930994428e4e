namespace Im.Outbox.Internal;

/// <summary>Event ids of Im.Outbox: 3100–3199. An id that is no longer used is never given again.</summary>
internal static class EventIds
{
    public const int TableCreated = 3100;
    public const int LeaseTaken = 3101;
    public const int LeaseEnded = 3102;
    public const int DatabaseFailed = 3103;
    public const int DatabaseBack = 3104;
    public const int StopTimedOut = 3105;
    public const int MessageRefused = 3110;
    public const int MessageHeldBack = 3111;
    public const int SendFailed = 3112;
    public const int ServerUnavailable = 3113;
}
