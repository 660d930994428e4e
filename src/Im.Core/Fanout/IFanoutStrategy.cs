namespace Im.Fanout;

/// <summary>Answers which timelines get a run and who is woken; picked for a conversation by its <see cref="Name"/>.</summary>
internal interface IFanoutStrategy
{
    /// <summary>The name under which conversations refer to it, for ever.</summary>
    string Name { get; }

    /// <summary>
    /// True: entries are appended to the members' inboxes. False: to the conversation only, and members' sessions read its timeline.
    /// </summary>
    bool WritesInboxes { get; }
}

/// <summary>Fan-out on write.</summary>
internal sealed class WriteFanout : IFanoutStrategy
{
    public string Name => FanoutNames.Write;

    public bool WritesInboxes => true;
}

/// <summary>Fan-out on read.</summary>
internal sealed class ReadFanout : IFanoutStrategy
{
    public string Name => FanoutNames.Read;

    public bool WritesInboxes => false;
}
