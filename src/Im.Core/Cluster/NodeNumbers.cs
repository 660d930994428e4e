using Google.Protobuf.Collections;

namespace Im.Cluster;

/// <summary>The numbers of this epoch's messages to single nodes: each node has the next one, and what is gone for long is forgotten.</summary>
/// <remarks>
/// Not thread-safe: the sender's lock guards it. To a receiver that lives numbers never go back, since it would not notice then what is lost: a node that
/// is counted anew goes on above all that were forgotten. To it that is a hole, which costs it one head check.
/// </remarks>
internal sealed class NodeNumbers(TimeSpan keep, TimeProvider time)
{
    private readonly Dictionary<string, (long Last, long UsedAt)> _nodes = new(StringComparer.Ordinal);
    private long _forgotten;

    /// <summary>How many nodes are counted; for tests.</summary>
    public int Count => _nodes.Count;

    public long Next(string nodeName)
    {
        var number = (_nodes.TryGetValue(nodeName, out var known) ? known.Last : _forgotten) + 1;
        _nodes[nodeName] = (number, time.GetTimestamp());
        return number;
    }

    public void AddLastTo(MapField<string, long> numbers)
    {
        foreach (var (nodeName, (last, _)) in _nodes)
        {
            numbers.Add(nodeName, last);
        }
    }

    /// <summary>Forgets the nodes that do not live and were told nothing for long.</summary>
    public void ForgetGone(ClusterView view)
    {
        var now = time.GetTimestamp();
        foreach (var (nodeName, (last, usedAt)) in _nodes)
        {
            if (!view.Nodes.ContainsKey(nodeName) && time.GetElapsedTime(usedAt, now) > keep)
            {
                _nodes.Remove(nodeName);
                _forgotten = Math.Max(_forgotten, last);
            }
        }
    }

    /// <summary>A new epoch counts from the beginning.</summary>
    public void Clear()
    {
        _nodes.Clear();
        _forgotten = 0;
    }
}
