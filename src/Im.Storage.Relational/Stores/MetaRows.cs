namespace Im.Storage.Relational.Stores;

/// <summary>The names and values of im_meta.</summary>
internal static class MetaRows
{
    /// <summary>The number of the newest schema file that was applied.</summary>
    public const string Schema = "schema";

    /// <summary>The oldest schema whose programs can work with the newest one: nodes of two versions side by side.</summary>
    public const string OldestProgram = "oldest_program";

    /// <summary>The random id of the store's life.</summary>
    public const string Generation = "generation";

    /// <summary>The text of the option NewGeneration that was seen last.</summary>
    public const string GenerationLabel = "generation_label";

    /// <summary>Written by health checks.</summary>
    public const string Probe = "probe";

    /// <summary>Who drains the send queue.</summary>
    public const string SendQueueLease = "send_queue_lease";

    public static string? Find(SqlSession session, string name)
    {
        var statement = session.Prepare("SELECT value FROM im_meta WHERE name = @p1").AddId(name);
        var value = statement.Read() ? statement.GetText(0) : null;
        statement.Clear();
        return value;
    }

    public static void Set(SqlSession session, string name, string value)
    {
        var writer = session.Writer(Tables.Meta);
        writer.AddId(name);
        writer.AddText(value);
        writer.EndRow();
        writer.Flush();
    }
}
