namespace Im.LoadGenerator.Wire;

/// <summary>An entry of a push, in place: only what is counted and checked is read.</summary>
internal ref struct EntryView
{
    public ReadOnlySpan<byte> Conversation;

    public long Seq;

    /// <summary>The last 16 bytes of the text, where it is one of the generator's: whose run it is, and which message.</summary>
    public ulong Run;

    public ulong Number;

    /// <summary>The whole entry.</summary>
    public ReadOnlySpan<byte> Bytes;
}
