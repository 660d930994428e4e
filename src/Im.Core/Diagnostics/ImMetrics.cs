using System.Diagnostics.Metrics;
using Im.Messaging.Queue;
using Im.Protocol;
using Im.Storage;

namespace Im.Diagnostics;

/// <summary>The meter <c>Im.Server</c>. Instruments and tags are listed in docs/operations.md.</summary>
internal sealed class ImMetrics : IDisposable
{
    public const string MeterName = "Im.Server";

    private readonly Meter _meter;
    private readonly UpDownCounter<long> _connections;
    private readonly Counter<long> _closed;
    private readonly Counter<long> _packets;
    private readonly Counter<long> _errors;
    private readonly Counter<long> _signIns;
    private readonly Counter<long> _sends;
    private readonly Counter<long> _deliveries;
    private readonly Counter<long> _signalsDropped;
    private readonly Counter<long> _behind;
    private readonly Counter<long> _pages;
    private readonly Counter<long> _noticesDropped;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _commitFailures;
    private readonly Counter<long> _missed;
    private readonly Counter<long> _catchUpRetries;
    private readonly Counter<long> _retentionDeleted;
    private readonly Counter<long> _retentionMerged;
    private readonly Counter<long> _retentionFailures;
    private readonly Counter<long> _clusterFailures;
    private readonly Counter<long> _clusterSent;
    private readonly Counter<long> _clusterReceived;
    private readonly Counter<long> _clusterDropped;
    private readonly Counter<long> _clusterMissed;
    private readonly Counter<long> _clusterRejoins;
    private readonly Histogram<double> _retentionSeconds;
    private readonly Counter<long> _queuedSendsDropped;
    private readonly Histogram<double> _commitSeconds;
    private readonly Histogram<long> _commitMessages;

    // What the admin operations show; a meter cannot be read.
    private long _totalSends;
    private long _totalDeliveries;

    public ImMetrics(IMeterFactory? factory = null)
    {
        _meter = factory?.Create(MeterName) ?? new Meter(MeterName);
        _connections = _meter.CreateUpDownCounter<long>("im.connections", "{connection}", "Open connections.");
        _closed = _meter.CreateCounter<long>("im.connections.closed", "{connection}", "Closed connections by code.");
        _packets = _meter.CreateCounter<long>("im.packets.received", "{packet}", "Packets received by kind.");
        _errors = _meter.CreateCounter<long>("im.errors", "{error}", "Errors told to clients by code.");
        _signIns = _meter.CreateCounter<long>("im.sign_ins", "{sign_in}", "Sign-ins by result.");
        _sends = _meter.CreateCounter<long>("im.sends", "{message}", "Messages by outcome.");
        _deliveries = _meter.CreateCounter<long>("im.deliveries", "{entry}", "Entries handed to sessions.");
        _signalsDropped = _meter.CreateCounter<long>("im.signals.dropped", "{signal}", "Signals dropped because a queue was full.");
        _behind = _meter.CreateCounter<long>("im.sessions.behind", "{event}", "Times that a session's timeline fell behind.");
        _pages = _meter.CreateCounter<long>("im.catch_up.pages", "{page}", "Pages read by sessions that were behind, by source.");
        _noticesDropped = _meter.CreateCounter<long>("im.notices.dropped", "{message}", "Messages whose after-commit handlers were too slow.");
        _retries = _meter.CreateCounter<long>("im.commit.retries", "{retry}", "Appends proposed again because a head or a version was stale.");
        _commitFailures = _meter.CreateCounter<long>("im.commit.failures", "{batch}", "Batches that could not be committed, by reason.");
        _missed = _meter.CreateCounter<long>("im.head_check.missed", "{timeline}", "Timelines of live sessions that had missed a delivery.");
        _catchUpRetries = _meter.CreateCounter<long>("im.catch_up.retries", "{page}", "Pages that could not be read and are tried again.");
        _retentionDeleted = _meter.CreateCounter<long>("im.retention.deleted", "{row}", "What retention deleted, by kind.");
        _retentionMerged = _meter.CreateCounter<long>("im.retention.merged", "{chunk}", "Inbox chunks that went into others.");
        _retentionFailures = _meter.CreateCounter<long>("im.retention.failures", "{failure}", "Parts of a pass that failed.");
        _clusterFailures = _meter.CreateCounter<long>("im.cluster.failures", "{failure}", "What the directory or the backplane could not do, by part.");
        _clusterSent = _meter.CreateCounter<long>("im.cluster.sent", "{message}", "Messages to other nodes, by whom they are for.");
        _clusterReceived = _meter.CreateCounter<long>("im.cluster.received", "{message}", "Messages from other nodes.");
        _clusterDropped = _meter.CreateCounter<long>("im.cluster.dropped", "{message}", "Messages between nodes that were dropped because a queue was full.");
        _clusterMissed = _meter.CreateCounter<long>("im.cluster.missed", "{event}", "Times that messages from another node were missed.");
        _clusterRejoins = _meter.CreateCounter<long>("im.cluster.rejoins", "{event}", "Times that this node had lost its lease.");
        _retentionSeconds = _meter.CreateHistogram<double>("im.retention.bite.duration", "s", "How long one transaction of retention took.");
        _queuedSendsDropped = _meter.CreateCounter<long>("im.send_queue.dropped", "{message}", "Queued sends that were refused when their turn came, by code.");
        _commitSeconds = _meter.CreateHistogram<double>("im.commit.duration", "s", "How long a commit took.");
        _commitMessages = _meter.CreateHistogram<long>("im.commit.messages", "{message}", "Items of a commit.");
    }

    /// <summary>Messages that were stored or relayed since the start.</summary>
    public long TotalSends => Volatile.Read(ref _totalSends);

    /// <summary>Entries handed to sessions since the start.</summary>
    public long TotalDeliveries => Volatile.Read(ref _totalDeliveries);

    public void ConnectionOpened(string transport) => _connections.Add(1, Tag("transport", transport));

    public void ConnectionClosed(string transport, ImCloseCode code)
    {
        _connections.Add(-1, Tag("transport", transport));
        _closed.Add(1, Tag("transport", transport), Tag("code", ImErrorCodes.GetName(code)));
    }

    public void PacketReceived(string kind) => _packets.Add(1, Tag("kind", kind));

    public void Error(ImErrorCode code) => _errors.Add(1, Tag("code", ImErrorCodes.GetName(code)));

    public void SignIn(string result) => _signIns.Add(1, Tag("result", result));

    public void Sent(string outcome, long count)
    {
        _sends.Add(count, Tag("outcome", outcome));
        if (outcome is "stored" or "relayed")
        {
            Interlocked.Add(ref _totalSends, count);
        }
    }

    public void Delivered(long entries)
    {
        _deliveries.Add(entries);
        Interlocked.Add(ref _totalDeliveries, entries);
    }

    public void SignalDropped() => _signalsDropped.Add(1);

    public void FellBehind() => _behind.Add(1);

    public void PageRead(bool fromRecent) => _pages.Add(1, Tag("source", fromRecent ? "recent" : "store"));

    public void NoticesDropped(int messages) => _noticesDropped.Add(messages);

    public void CommitRetried(string why) => _retries.Add(1, Tag("why", why));

    public void CommitFailed(string why) => _commitFailures.Add(1, Tag("why", why));

    public void Missed(int timelines) => _missed.Add(timelines);

    public void CatchUpRetried() => _catchUpRetries.Add(1);

    public void Committed(TimeSpan duration, int messages)
    {
        _commitSeconds.Record(duration.TotalSeconds);
        _commitMessages.Record(messages);
    }

    public void RetentionBite(string part, TimeSpan duration, in RetentionBite bite)
    {
        _retentionSeconds.Record(duration.TotalSeconds, Tag("part", part));
        AddDeleted("entries", bite.DeletedEntries);
        AddDeleted("chunks", bite.DeletedChunks);
        AddDeleted("log_rows", bite.DeletedRows);
        if (bite.MergedChunks > 0)
        {
            _retentionMerged.Add(bite.MergedChunks);
        }
    }

    public void ClusterFailure(string part) => _clusterFailures.Add(1, Tag("part", part));

    public void ClusterSent(string target) => _clusterSent.Add(1, Tag("to", target));

    public void ClusterReceived() => _clusterReceived.Add(1);

    public void ClusterDropped(string queue, int count) => _clusterDropped.Add(count, Tag("queue", queue));

    public void ClusterMissed() => _clusterMissed.Add(1);

    public void ClusterRejoined() => _clusterRejoins.Add(1);

    public void RetentionFailed(string part) => _retentionFailures.Add(1, Tag("part", part));

    /// <summary>The queue's length, as it was last looked at; called once.</summary>
    public void Watch(SendQueueStatus queue)
    {
        _meter.CreateObservableGauge("im.send_queue.rows", () => queue.State.Rows, "{message}", "Sends that wait in the store's queue, of all nodes.");
        _meter.CreateObservableGauge("im.send_queue.oldest_age", () => queue.OldestAge.TotalSeconds, "s", "How long the first of them waits.");
    }

    public void QueuedSendDropped(ImErrorCode code) => _queuedSendsDropped.Add(1, Tag("code", ImErrorCodes.GetName(code)));

    private void AddDeleted(string kind, int count)
    {
        if (count > 0)
        {
            _retentionDeleted.Add(count, Tag("kind", kind));
        }
    }

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
