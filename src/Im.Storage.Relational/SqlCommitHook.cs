namespace Im.Storage.Relational;

/// <summary>For tests: something that happens, or fails, just before or after the commit of an append. Taken from the services where one is there.</summary>
internal sealed class SqlCommitHook
{
    public Action? Before { get; set; }

    public Action? After { get; set; }
}
