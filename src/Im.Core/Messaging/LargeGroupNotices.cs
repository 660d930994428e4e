using System.Runtime.CompilerServices;
using Im.Connections;
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

/// <summary>Finds who is to be notified of messages in large groups: reads the members page by page, a while after the commit.</summary>
/// <remarks>
/// Who has left meanwhile is not told, nor who has joined behind the message. At most once: where the members cannot be read, the rest is left out.
/// </remarks>
internal sealed class LargeGroupNotices(IGroupStore groups, SessionRegistry sessions, ILogger<LargeGroupNotices> logger)
{
    /// <summary>The notices of one batch's messages, one page of members at a time.</summary>
    public async IAsyncEnumerable<IReadOnlyList<OfflineNotice>> ReadAsync(
        IReadOnlyList<LargeGroupMessage> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var group in messages.GroupBy(message => message.ConversationId, StringComparer.Ordinal))
        {
            string? after = null;
            do
            {
                var page = await TryReadAsync(group.Key, after, cancellationToken);
                after = page.Count == GroupChanger.PageSize ? page[^1].UserId : null;
                if (Describe(group, [.. page.Where(member => !sessions.IsOnline(member.UserId))]) is { Count: > 0 } notices)
                {
                    yield return notices;
                }
            }
            while (after is not null);
        }
    }

    private static List<OfflineNotice> Describe(IEnumerable<LargeGroupMessage> messages, GroupMember[] absent)
    {
        var notices = new List<OfflineNotice>();
        foreach (var message in messages)
        {
            string[] recipients = [.. absent.Where(member => member.Joined < message.Seq && member.UserId != message.SenderId).Select(member => member.UserId)];
            if (recipients.Length > 0)
            {
                notices.Add(new OfflineNotice(message.ConversationId, message.Seq.Value, message.SenderId, message.Content, recipients));
            }
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
