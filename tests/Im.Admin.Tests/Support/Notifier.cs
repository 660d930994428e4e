using Im.Messaging;

namespace Im.Admin.Tests.Support;

/// <summary>A host's notifier that can be made to fail.</summary>
public sealed class Notifier : IOfflineNotifier
{
    /// <summary>What it throws for messages of this sender.</summary>
    public string FailsFor { get; set; } = "";

    public ValueTask NotifyAsync(IReadOnlyList<OfflineNotice> notices, CancellationToken cancellationToken) =>
        notices.Any(notice => notice.SenderId == FailsFor) ? throw new InvalidOperationException("The push service said no.") : default;
}
