using Im.Sample.Chat.Data;

namespace Im.Sample.Chat.Groups;

/// <summary>What became of a change: the group as it is now (null once its last member left), or why not.</summary>
internal readonly record struct GroupResult(int Status, ChatGroup? Group, string Error)
{
    // A stranger is not told whether the group exists.
    public static readonly GroupResult NotFound = new(StatusCodes.Status404NotFound, null, "You are not in this group.");

    public static readonly GroupResult Forbidden = new(StatusCodes.Status403Forbidden, null, "Only the group's owner removes others.");

    public static GroupResult Ok(ChatGroup? group) => new(StatusCodes.Status200OK, group, "");

    public static GroupResult Bad(string error) => new(StatusCodes.Status400BadRequest, null, error);
}
