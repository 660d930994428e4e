namespace Im.Administration.Internal;

/// <summary>Event ids of Im.Admin: 3300–3399. An id that is no longer used is never given again.</summary>
internal static class EventIds
{
    public const int AdminCalled = 3300;
    public const int AdminCallFailed = 3301;
}
