namespace Im.LoadGenerator.Checks;

/// <summary>One message that a device sent.</summary>
internal struct Message
{
    public long SentAt;

    /// <summary>Where its ack says that it stands; 0 = no ack yet.</summary>
    public long AckSeq;

    public long AckTimeMs;

    /// <summary>Where it was pushed; 0 = nobody has seen it yet.</summary>
    public long PushSeq;

    public int Device;

    public int Conversation;

    /// <summary>The server asked to send it again, so later ones of the same sender may stand before it.</summary>
    public bool WasRefused;
}
