namespace Im.LoadGenerator.Checks;

/// <summary>How far one device is in one conversation.</summary>
internal sealed class Place(Conversation conversation, long last)
{
    private HashSet<long>? _missing;

    public Conversation Conversation { get; } = conversation;

    /// <summary>The highest seq it has.</summary>
    public long Last { get; set; } = last;

    /// <summary>Takes a seq that is not the next one; false: the device had it before.</summary>
    public bool TakeOutOfOrder(long seq, Ledger ledger)
    {
        if (seq > Last)
        {
            // What lies between is lost unless it comes later.
            _missing ??= [];
            for (var skipped = Last + 1; skipped < seq; skipped++)
            {
                _missing.Add(skipped);
            }

            Last = seq;
            return true;
        }

        if (_missing?.Remove(seq) == true)
        {
            ledger.Reordered++;
            ledger.Report($"{Conversation.Id}: seq {seq} came after {Last}.");
            return true;
        }

        ledger.Duplicated++;
        ledger.Report($"{Conversation.Id}: seq {seq} came twice to one device.");
        return false;
    }
}
