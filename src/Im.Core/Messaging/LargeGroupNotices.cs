using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Im.Conversations;
using Im.Diagnostics;
using Im.Groups;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using Microsoft.Extensions.Logging;

namespace Im.Messaging;

/// <summary>A stored message of a large group, whose members are not in memory.</summary>
internal readonly record struct LargeGroupMessage(string ConversationId, ConversationSeq Seq, string SenderId, MessageContent Content);

/// <summary>Finds who are the members for whom a message of a large group is: reads them page by page, a while after the commit.</summary>
/// <remarks>
/// Who has left meanwhile is not told, nor who has joined behind the message. At most once: where the members cannot be read, the rest is left out.
/// </remarks>
internal sealed class LargeGroupNotices(IGroupStore groups, ILogger<LargeGroupNotices> logger)
{
    /// <summary>The notices of one batch's messages, one page of members at a time.</summary>
    public async IAsyncEnumerable<IReadOnlyList<MemberNotice>> ReadAsync(
        IReadOnlyList<LargeGroupMessage> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var group in messages.GroupBy(message => message.ConversationId, StringComparer.Ordinal))
        {
            string? after = null;
            do
            {
                var page = await TryReadAsync(group.Key, after, cancellationToken);
                after = page.Count == GroupChanger.PageSize ? page[^1].UserId : null;
                if (page.Count > 0)
                {
                    yield return Describe(group, page);
                }
            }
            while (after is not null);
        }
    }

    private static List<MemberNotice> Describe(IEnumerable<LargeGroupMessage> messages, IReadOnlyList<GroupMember> page)
    {
        ImmutableArray<string> everyone = [.. page.Select(member => member.UserId)];
        var newest = page.Max(member => member.Joined);
        var notices = new List<MemberNotice>();
        foreach (var message in messages)
        {
            // One list for most messages, so that who is online is asked once.
            var members = newest < message.Seq ? everyone : [.. page.Where(member => member.Joined < message.Seq).Select(member => member.UserId)];
            notices.Add(new MemberNotice(message.ConversationId, message.Seq.Value, message.SenderId, message.Content, members));
        }

        return notices;
    }

    private async ValueTask<IReadOnlyList<GroupMember>> TryReadAsync(string conversationId, string? after, CancellationToken cancellationToken)
    {
        try
        {
            return await groups.ReadMembersAsync(conversationId, after, GroupChanger.PageSize, cancellationToken) is { } page ? page.Members : [];
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.MemberNoticesFailed(logger, conversationId, exception);
            return [];
        }
    }
}
