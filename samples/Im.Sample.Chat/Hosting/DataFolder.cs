namespace Im.Sample.Chat.Hosting;

/// <summary>Where the sample keeps its own files: users, groups, pictures and the keys of its cookies.</summary>
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

    public string Database => Path.Combine(Root, "chat.db");
}
