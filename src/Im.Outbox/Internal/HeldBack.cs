using Microsoft.Extensions.Options;

namespace Im.Outbox.Internal;

/// <summary>The conversations whose next message the server could not take for now. Later messages of them wait, so that order is kept.</summary>
/// <remarks>
/// A conversation that is held back is tried alone: a message that makes a whole call fail is found that way, and then holds back nobody else.
/// Used by the relay's loop only.
/// </remarks>
internal sealed class HeldBack(TimeProvider time, IOptions<ImOutboxOptions> options)
{
    // Memory is bounded; above it nothing new is tried until something of this goes through.
    private const int MaxConversations = 10_000;

    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly ImOutboxOptions _options = options.Value;

    public bool IsFull => _entries.Count >= MaxConversations;

    public bool Contains(string conversationId) => _entries.ContainsKey(conversationId);

    public bool IsDue(string conversationId) => !_entries.TryGetValue(conversationId, out var entry) || entry.DueAt <= time.GetUtcNow();

    /// <summary>Holds the conversation back for longer than the last time. True: it failed for so long that its message is to be given up.</summary>
    public bool Fail(string conversationId)
    {
        var now = time.GetUtcNow();
        if (!_entries.TryGetValue(conversationId, out var entry))
        {
            _entries.Add(conversationId, entry = new Entry { Since = now });
        }

        entry.DueAt = now + Delay(entry.Failures++);
        return now - entry.Since >= _options.GiveUpAfter;
    }

    public void Succeed(string conversationId) => _entries.Remove(conversationId);

    /// <summary>No row waits.</summary>
    public void Clear() => _entries.Clear();

    /// <summary>How long to wait after so many failures.</summary>
    public TimeSpan Delay(int failures)
    {
        var doubled = _options.RetryMinDelay * Math.Pow(2, Math.Min(failures, 20));
        return doubled < _options.RetryMaxDelay ? doubled : _options.RetryMaxDelay;
    }

    private sealed class Entry
    {
        public required DateTimeOffset Since { get; init; }

        public DateTimeOffset DueAt { get; set; }

        public int Failures { get; set; }
    }
}
