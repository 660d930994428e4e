namespace Im.Fanout;

/// <summary>The names of the built-in fan-out strategies.</summary>
public static class FanoutNames
{
    /// <summary>Fan-out on write: an entry is also appended to every member's inbox.</summary>
    public const string Write = "write";

    /// <summary>Fan-out on read: an entry is appended to the conversation only, and members keep a cursor on it.</summary>
    public const string Read = "read";
}
