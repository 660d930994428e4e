namespace Im.Sample.Chat.Data;

/// <summary>A user of the sample. <c>Id</c> is what IM knows; the name may change, the id does not.</summary>
internal sealed record ChatUser(string Id, string Name, string DisplayName, string PasswordHash);
