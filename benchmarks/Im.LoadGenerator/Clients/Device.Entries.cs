using System.Runtime.CompilerServices;
using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Wire;

namespace Im.LoadGenerator.Clients;

internal sealed partial class Device
{
    // The timeline of the push that is being read: null = the inbox.
    private Place? _pushed;
    private bool _isStrangers;
    private long _next;

    /// <summary>A push begins; its entries must continue where the device is.</summary>
    public void OnPush(in PushHead head, int bytes)
    {
        _ledger.LargestPushBytes = Math.Max(_ledger.LargestPushBytes, bytes);
        _hasNews = true;
        _isStrangers = false;
        if (head.Conversation.IsEmpty)
        {
            _pushed = null;
            Continue(InboxCursor + 1, head.First, "the inbox");
            return;
        }

        _pushed = FindPlace(head.Conversation);
        if (_pushed is null)
        {
            _isStrangers = true; // a group that is not of this run
            return;
        }

        Continue(_pushed.Last + 1, head.First, _pushed.Conversation.Id);
    }

    /// <summary>Counts and checks an entry: this runs for every delivery.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void OnEntry(in EntryView entry)
    {
        if (_isStrangers)
        {
            return;
        }

        var place = _lastPlace;
        if (place is null || !entry.Conversation.SequenceEqual(place.Conversation.IdBytes))
        {
            place = FindPlace(entry.Conversation);
        }

        if (_pushed is null)
        {
            InboxCursor = _next++;
            if (place is null || place.Conversation.IsRead)
            {
                return; // another conversation, or the entry with which a conversation's own timeline begins
            }
        }
        else if (place != _pushed || entry.Seq != _next++)
        {
            _ledger.Error($"A push of {_pushed.Conversation.Id} has an entry of another conversation or seq.");
            return;
        }

        if (entry.Seq == place.Last + 1)
        {
            place.Last = entry.Seq;
        }
        else if (!place.TakeOutOfOrder(entry.Seq, _ledger))
        {
            return;
        }

        var conversation = place.Conversation;
        ref var record = ref conversation[entry.Seq];
        if (record.Digits != entry.Number || record.Length != entry.Bytes.Length || !Stamp.IsRun(entry.Run))
        {
            if (!_ledger.Register(conversation, ref record, in entry))
            {
                return;
            }
        }

        var now = _world.Loop.Now;
        _ledger.Delivered++;
        if (--record.Remaining == 0)
        {
            _ledger.LastDeliveries.Add(now - record.SentAt);
        }

        if (IsSampled)
        {
            _ledger.Deliveries.Add(now - record.SentAt);
        }
    }

    public void OnPushEnd() => SetLive();

    private void Continue(long expected, long first, string timeline)
    {
        _next = first;
        if (first != expected)
        {
            _ledger.Reordered++;
            _ledger.Report($"{UserId}: a push of {timeline} begins at {first}, and {expected} was due.");
        }
    }

    private Place? FindPlace(ReadOnlySpan<byte> conversationId)
    {
        foreach (var place in _places)
        {
            if (conversationId.SequenceEqual(place.Conversation.IdBytes))
            {
                _lastPlace = place;
                return place;
            }
        }

        return null;
    }
}
