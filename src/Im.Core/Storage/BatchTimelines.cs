using System.Collections.Immutable;
using Im.Timelines;

namespace Im.Storage;

/// <summary>Finds conversations and inboxes among a batch's timelines.</summary>
internal sealed class BatchTimelines
{
    private readonly IReadOnlyList<TimelineKey> _timelines;
    private readonly Dictionary<string, int> _conversations = new(StringComparer.Ordinal);
    private readonly int _firstInbox;
    private Dictionary<string, int>? _inboxes;

    public BatchTimelines(IReadOnlyList<TimelineKey> timelines)
    {
        _timelines = timelines;
        _firstInbox = timelines.Count;
        for (var i = 0; i < timelines.Count; i++)
        {
            if (timelines[i].Kind == TimelineKind.Inbox)
            {
                _firstInbox = i;
                break;
            }

            if (!_conversations.TryAdd(timelines[i].Id, i))
            {
                throw new ArgumentException($"The batch names the conversation {timelines[i].Id} twice.", nameof(timelines));
            }
        }
    }

    public int OfConversation(string id) => _conversations.TryGetValue(id, out var index)
        ? index
        : throw new ArgumentException($"The conversation {id} is missing from the batch's timelines (conversations first, then inboxes).");

    public int[] OfInboxes(ImmutableArray<string> userIds)
    {
        var indexes = new int[userIds.Length];

        // With one audience the inboxes stand as its users do: no dictionary is needed.
        if (userIds.Length == _timelines.Count - _firstInbox && StandInOrder(userIds))
        {
            for (var i = 0; i < indexes.Length; i++)
            {
                indexes[i] = _firstInbox + i;
            }

            return indexes;
        }

        _inboxes ??= IndexInboxes();
        for (var i = 0; i < indexes.Length; i++)
        {
            if (!_inboxes.TryGetValue(userIds[i], out indexes[i]))
            {
                throw new ArgumentException($"The inbox of {userIds[i]} is missing from the batch's timelines.");
            }
        }

        return indexes;
    }

    private bool StandInOrder(ImmutableArray<string> userIds)
    {
        for (var i = 0; i < userIds.Length; i++)
        {
            var timeline = _timelines[_firstInbox + i];
            if (timeline.Kind != TimelineKind.Inbox || !string.Equals(timeline.Id, userIds[i], StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    private Dictionary<string, int> IndexInboxes()
    {
        var inboxes = new Dictionary<string, int>(_timelines.Count - _firstInbox, StringComparer.Ordinal);
        for (var i = _firstInbox; i < _timelines.Count; i++)
        {
            if (_timelines[i].Kind != TimelineKind.Inbox || !inboxes.TryAdd(_timelines[i].Id, i))
            {
                throw new ArgumentException($"The batch's timelines must be conversations, then inboxes, each once: {_timelines[i]}.");
            }
        }

        return inboxes;
    }
}
