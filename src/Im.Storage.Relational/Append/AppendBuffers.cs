namespace Im.Storage.Relational.Append;

/// <summary>Memory that one session's appends use again and again.</summary>
internal sealed class AppendBuffers
{
    public IdBytes Ids { get; } = new();

    /// <summary>Packed runs.</summary>
    public byte[] Runs { get; set; } = new byte[1024];
}
