using System.Collections.Immutable;
using Im.Fanout;
using Im.Model;
using Im.Protocol;
using Im.Users;
using Microsoft.Extensions.Options;

namespace Im.Groups;

/// <summary>What a change of a group is refused for: arguments, unknown users, sizes.</summary>
internal sealed class GroupRules(FanoutStrategies strategies, UserDirectory users, IOptions<ImServerOptions> options)
{
    private readonly ImServerOptions _options = options.Value;

    public static void ThrowIfInvalid(string groupId, string actorId)
    {
        if (!Ids.IsId(groupId, Ids.MaxGroupIdBytes))
        {
            throw new ImException(ImErrorCode.InvalidArgument, $"A group id is 1–{Ids.MaxGroupIdBytes} bytes without control characters.");
        }

        if (!Ids.IsId(actorId))
        {
            throw new ImException(ImErrorCode.InvalidArgument, "ActorId must be a user's id, or a name that begins with '$' for a system sender.");
        }
    }

    public void ThrowIfUnknownFanout(string? fanout)
    {
        if (fanout is not null && !strategies.IsKnown(fanout))
        {
            throw new ImException(ImErrorCode.InvalidArgument, $"There is no fan-out strategy \"{fanout}\"; use {nameof(FanoutNames)}.{nameof(FanoutNames.Write)} or {nameof(FanoutNames.Read)}.");
        }
    }

    public async ValueTask ThrowIfUnknownAsync(ImmutableArray<string> userIds, CancellationToken cancellationToken)
    {
        // The host is asked for so many users at once as one change has.
        foreach (var part in userIds.Chunk(_options.MaxMembersPerChange))
        {
            var unknown = await users.FindUnknownAsync(part, cancellationToken);
            if (unknown.Count > 0)
            {
                throw new ImException(ImErrorCode.UnknownUser, $"There are no users {string.Join(", ", unknown.Take(10).Select(userId => $"\"{userId}\""))}.");
            }
        }
    }

    public void ThrowIfTooManyAtOnce(ImmutableArray<string> userIds)
    {
        if (userIds.Length > _options.MaxMembersPerChange)
        {
            throw new ImException(ImErrorCode.InvalidArgument, $"{userIds.Length} members in one change; the limit (MaxMembersPerChange) is {_options.MaxMembersPerChange}.");
        }
    }

    /// <summary>Refuses a group of so many members; <paramref name="pinnedFanout"/> is its strategy where that does not change by itself.</summary>
    public void ThrowIfTooLarge(int memberCount, string? pinnedFanout)
    {
        if (memberCount > _options.MaxGroupMembers)
        {
            throw new ImException(ImErrorCode.TooManyMembers, $"The group would have {memberCount} members; the limit (MaxGroupMembers) is {_options.MaxGroupMembers}.");
        }

        if (memberCount > _options.MaxPinnedWriteFanoutMembers && pinnedFanout is not null && strategies.Get(pinnedFanout).WritesInboxes)
        {
            throw new ImException(
                ImErrorCode.TooManyMembers,
                $"The group would have {memberCount} members and fan-out on write; the limit (MaxPinnedWriteFanoutMembers) is "
                + $"{_options.MaxPinnedWriteFanoutMembers}. Use {nameof(FanoutNames)}.{nameof(FanoutNames.Read)}.");
        }
    }
}
