using Microsoft.Extensions.Logging;

namespace Im.Diagnostics;

/// <content>Presence.</content>
internal static partial class Log
{
    [LoggerMessage(EventIds.PresenceListenerFailed, LogLevel.Error, "The presence listener {Listener} failed on {Count} events.")]
    public static partial void PresenceListenerFailed(ILogger logger, string listener, int count, Exception exception);

    [LoggerMessage(EventIds.PresenceEventsDropped, LogLevel.Warning, "{Count} presence events were dropped: the host's listeners are slower than the events.")]
    public static partial void PresenceEventsDropped(ILogger logger, int count);

    [LoggerMessage(EventIds.PresenceFailed, LogLevel.Error, "Changes of presence could not be handled; the states of watched users are read again later.")]
    public static partial void PresenceFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.PresenceNotRead, LogLevel.Warning, "The store could not be read for presence; it is tried again.")]
    public static partial void PresenceNotRead(ILogger logger, Exception exception);
}
