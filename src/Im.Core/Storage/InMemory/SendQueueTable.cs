namespace Im.Storage.InMemory;

/// <summary>The rows of the send queue, by number, and its lease.</summary>
internal sealed class SendQueueTable
{
    public SortedDictionary<long, QueuedSend> Rows { get; } = [];

    public long LastId { get; set; }

    public SendQueueLease Lease { get; set; } = SendQueueLease.Free;
}
