using Im.Storage;

namespace Im.Retention;

/// <summary>Limits as points in time, from options that are spans.</summary>
internal static class RetentionLimitsFactory
{
    public static RetentionLimits Create(ImRetentionOptions options, DateTimeOffset now)
    {
        // An inbox chunk whose messages are forgotten tells nobody anything: a device that is so far behind starts anew.
        var inboxes = Shorter(options.KeepInboxesFor, options.KeepMessagesFor);
        return new RetentionLimits
        {
            EntriesBeforeMs = Before(options.KeepMessagesFor, now),
            EntriesPerConversation = options.KeepMessagesPerConversation,
            InboxesBeforeMs = Before(inboxes, now),
            EntriesPerInbox = options.KeepEntriesPerInbox,
            SentBeforeMs = Before(options.KeepSentIdsFor, now),
            CommitsBeforeMs = Before(options.KeepCommitsFor, now),
            MergeBeforeMs = Before(options.MergeChunksAfter, now),
        };
    }

    private static TimeSpan? Shorter(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other : one;

    private static long? Before(TimeSpan? span, DateTimeOffset now) =>
        span is { } kept ? now.ToUnixTimeMilliseconds() - (long)kept.TotalMilliseconds : null;
}
