namespace Im.Sample.Chat.Hosting;

/// <summary>Where everything is kept: the sample's own users, groups, pictures and cookie keys, and IM's messages.</summary>
internal sealed class DataFolder
{
    public DataFolder(string contentRoot, string? configured)
    {
        Root = Path.GetFullPath(string.IsNullOrWhiteSpace(configured) ? "App_Data" : configured, contentRoot);
        Pictures = Path.Combine(Root, "pictures");
        Keys = Path.Combine(Root, "keys");
        Directory.CreateDirectory(Pictures);
        Directory.CreateDirectory(Keys);
    }

    public string Root { get; }

    public string Pictures { get; }

    public string Keys { get; }

    /// <summary>The sample's own database.</summary>
    public string Database => Path.Combine(Root, "chat.db");

    /// <summary>IM's database.</summary>
    public string Messages => Path.Combine(Root, "im.db");
}
