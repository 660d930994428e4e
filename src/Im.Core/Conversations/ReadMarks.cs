using Google.Protobuf;
using Im.Messaging;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Im.Timelines;

namespace Im.Conversations;

/// <summary>Moves read marks: one for each user and conversation, told to the user's devices as an entry of the user's own conversation.</summary>
internal sealed class ReadMarks(IMessageStore messages, IConversationStore conversations, Committer committer)
{
    public async ValueTask<MarkedRead> MoveAsync(string userId, MarkRead request, CancellationToken cancellationToken)
    {
        if (request.ConversationSeq < 0)
        {
            throw new ImException(ImErrorCode.InvalidArgument, "markRead.conversationSeq must not be negative.");
        }

        var known = request.ConversationId.Length is 0 or > ConversationId.MaxBytes
            ? null
            : (await conversations.GetAsync(userId, [request.ConversationId], cancellationToken))[0];
        if (known is null)
        {
            throw await RefuseAsync(userId, request.ConversationId, cancellationToken);
        }

        var seq = Math.Min(request.ConversationSeq, known.Head.Head);
        if (seq <= known.ReadSeq.Value)
        {
            return ToReply(request.ConversationId, known.ReadSeq.Value, known.Unread);
        }

        var change = CreateChange(userId, request.ConversationId, seq);
        await committer.SubmitAsync(change, cancellationToken);
        var result = await change.Completion.WaitAsync(cancellationToken);
        return result.Outcome == AppendOutcome.Stored
            ? ToReply(request.ConversationId, seq, result.Ordinal)
            : ToReply(request.ConversationId, result.Seq.Value, known.Unread);
    }

    private async ValueTask<ImException> RefuseAsync(string userId, string conversationId, CancellationToken cancellationToken)
    {
        var exists = conversationId.Length is > 0 and <= ConversationId.MaxBytes
            && (await messages.GetHeadsAsync([TimelineKey.Conversation(conversationId)], cancellationToken))[0].Head > 0;
        return exists
            ? new ImException(ImErrorCode.NotAMember, $"\"{userId}\" is not a member of \"{conversationId}\".")
            : new ImException(ImErrorCode.UnknownConversation, $"There is no conversation \"{conversationId}\".");
    }

    private static PendingChange CreateChange(string userId, string conversationId, long seq)
    {
        var body = new Entry { ReadMarkMoved = new ReadMarkMoved { ConversationId = conversationId, ConversationSeq = seq } }.ToByteArray();
        return new PendingChange
        {
            SenderId = userId,
            ClientMessageId = Guid.NewGuid().ToString("N"),
            ConversationId = ConversationId.Own(userId),
            Kind = EntryKind.ReadMarkMoved,
            Hash = ContentHash.Of(body),
            Body = body,
            Change = new ConversationChange.MoveReadMark(conversationId, new ConversationSeq(seq)),
            ExpectedVersion = 0,
            Audience = new Audience([userId]),
        };
    }

    private static MarkedRead ToReply(string conversationId, long seq, long unread) =>
        new() { ConversationId = conversationId, ConversationSeq = seq, Unread = unread };
}
