using System.Diagnostics;

namespace Im.Diagnostics;

/// <summary>The activity source <c>Im.Server</c>: <c>im.send</c> from a client's packet to its ack, <c>im.commit</c> for each batch.</summary>
internal static class ImActivitySource
{
    public const string Name = "Im.Server";

    private static readonly ActivitySource Source = new(Name);

    /// <summary>A send's activity under the client's trace, or null when nobody listens. Ended by the ack, possibly on another thread.</summary>
    public static Activity? StartSend(string traceparent, string senderId, uint requestId)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        ActivityContext.TryParse(traceparent, null, isRemote: true, out var parent);
        var previous = Activity.Current;
        var activity = Source.StartActivity("im.send", ActivityKind.Server, parent);

        // The activity crosses threads until its ack; nothing else of this thread belongs under it.
        Activity.Current = previous;
        activity?.SetTag("im.user_id", senderId);
        activity?.SetTag("im.request_id", requestId);
        return activity;
    }

    /// <summary>A commit's activity, linked to the sends in it.</summary>
    public static Activity? StartCommit(IEnumerable<ActivityContext> sends) =>
        Source.HasListeners()
            ? Source.StartActivity(ActivityKind.Internal, default(ActivityContext), links: sends.Select(send => new ActivityLink(send)), name: "im.commit")
            : null;
}
