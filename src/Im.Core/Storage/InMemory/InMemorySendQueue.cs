namespace Im.Storage.InMemory;

/// <summary>Queued sends in memory. The state's gate protects all of it.</summary>
internal sealed class InMemorySendQueue : ISendQueue
{
    private readonly InMemoryState _state;

    internal InMemorySendQueue(InMemoryState state) => _state = state;

    private SendQueueTable Table => _state.SendQueue;

    public ValueTask<bool> AddAsync(IReadOnlyList<QueuedSend> sends, long maxRows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sends);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_state.Gate)
        {
            if (Table.Rows.Count + sends.Count > maxRows)
            {
                return new(false);
            }

            foreach (var send in sends)
            {
                Table.Rows.Add(++Table.LastId, send with { Content = send.Content.ToArray() });
            }

            return new(true);
        }
    }

    public ValueTask<IReadOnlyList<QueuedRow>> ReadAsync(long afterId, int maxRows, int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxRows, 1);
        cancellationToken.ThrowIfCancellationRequested();
        var rows = new List<QueuedRow>();
        var bytes = 0L;
        lock (_state.Gate)
        {
            foreach (var (id, send) in Table.Rows)
            {
                // From the front: what is passed over are the few rows that could not be sent.
                if (id <= afterId)
                {
                    continue;
                }

                bytes += send.Content.Length;
                if (rows.Count == maxRows || (rows.Count > 0 && bytes > maxBytes))
                {
                    break;
                }

                rows.Add(new QueuedRow(id, send));
            }
        }

        return new(rows);
    }

    public ValueTask RemoveAsync(IReadOnlyList<long> ids, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ids);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_state.Gate)
        {
            foreach (var id in ids)
            {
                Table.Rows.Remove(id);
            }
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<SendQueueState> GetStateAsync(string nodeName, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_state.Gate)
        {
            // A store in memory has one node: its rows stand in front, or nowhere.
            return new(Table.Rows.Count == 0
                ? default
                : new SendQueueState(Table.Rows.Count, Table.Rows.First().Value.TimeMs, Table.Rows.Values.Any(send => send.NodeName == nodeName)));
        }
    }

    public ValueTask<SendQueueLease> TakeLeaseAsync(string owner, SendQueueLease expired, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_state.Gate)
        {
            var lease = Table.Lease;
            if (lease.Owner.Length == 0 || lease.Owner == owner || lease == expired)
            {
                Table.Lease = new SendQueueLease(owner, lease.Number + 1);
            }

            return new(Table.Lease);
        }
    }

    public ValueTask ReleaseLeaseAsync(string owner, CancellationToken cancellationToken)
    {
        lock (_state.Gate)
        {
            if (Table.Lease.Owner == owner)
            {
                Table.Lease = Table.Lease with { Owner = "" };
            }
        }

        return ValueTask.CompletedTask;
    }
}
