namespace Im.LoadGenerator.Wire;

/// <summary>What the beginning of a packet is.</summary>
internal enum HeadStatus
{
    /// <summary>More bytes are needed to say.</summary>
    Incomplete,

    /// <summary>A push of entries, which are read one by one as they arrive.</summary>
    Push,

    /// <summary>Anything else, which is read when it is there as a whole.</summary>
    Other,
}

/// <summary>The fields of a push before its entries.</summary>
internal ref struct PushHead
{
    /// <summary>The conversation's id; empty for the inbox.</summary>
    public ReadOnlySpan<byte> Conversation;

    /// <summary>The seq of the first entry in its timeline.</summary>
    public long First;

    /// <summary>How many bytes the head has.</summary>
    public int Bytes;
}
