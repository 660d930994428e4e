namespace Im.Model;

/// <summary>What a group shows of itself.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Avatar">A URL or whatever the host's clients understand.</param>
/// <param name="Extra">The host's own; not interpreted.</param>
public sealed record GroupInfo(string Name, string Avatar = "", string Extra = "");
