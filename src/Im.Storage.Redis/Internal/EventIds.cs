namespace Im.Storage.Redis.Internal;

/// <summary>Event ids of Im.Storage.Redis: 3200–3299. An id that is no longer used is never given again.</summary>
internal static class EventIds
{
    public const int Unavailable = 3200;
    public const int Available = 3201;
    public const int ConnectFailed = 3202;
    public const int MessagesDropped = 3203;
    public const int ReceiverFailed = 3204;
    public const int DamagedMessage = 3205;
    public const int SubscribeFailed = 3206;
    public const int Replaced = 3207;
    public const int Resubscribed = 3208;
}
