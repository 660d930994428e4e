namespace Im.Model;

/// <summary>What an entry is. The values are those of the <c>body</c> fields in <c>im.proto</c>.</summary>
public enum EntryKind
{
    /// <summary>Nothing the server knows.</summary>
    Unknown = 0,

    /// <summary>A message.</summary>
    Message = 10,

    /// <summary>The group was created.</summary>
    GroupCreated = 11,

    /// <summary>The group's name, avatar or extra changed.</summary>
    GroupChanged = 12,

    /// <summary>The group was dissolved.</summary>
    GroupDissolved = 13,

    /// <summary>Members were added or removed.</summary>
    MembersChanged = 14,

    /// <summary>The conversation's fan-out changed.</summary>
    FanoutChanged = 15,

    /// <summary>The user's read mark in another conversation moved.</summary>
    ReadMarkMoved = 16,
}
