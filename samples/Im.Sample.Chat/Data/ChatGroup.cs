namespace Im.Sample.Chat.Data;

/// <summary>A group of the sample; its members in the order in which they joined.</summary>
internal sealed record ChatGroup(string Id, string Name, string OwnerId, IReadOnlyList<string> MemberIds);
