using System.Collections.Immutable;
using Im.Model;
using Im.Protocol;
using Im.Storage;

namespace Im.Messaging;

/// <summary>A message on its way: from a client or from the host.</summary>
internal abstract class PendingMessage : PendingAppend
{
    /// <summary>What sends it, one message after the other: a connection, or one call of the host.</summary>
    public required object Origin { get; init; }

    /// <summary>The store failed before the message was on its way; the committer refuses it, so that later ones cannot overtake it.</summary>
    public bool IsDoomed { get; set; }

    /// <summary>The conversation as the sender named it; empty where a user is named.</summary>
    public string TargetConversationId { get; init; } = "";

    /// <summary>The user as the sender named one; empty where a conversation is named.</summary>
    public string TargetUserId { get; init; } = "";

    /// <summary>The content as it will be stored.</summary>
    public required Content Content { get; set; }

    public bool NonPersistent { get; init; }

    /// <summary>Old history: it goes to nobody's inbox and is unread for nobody.</summary>
    public bool IsImported { get; init; }

    /// <summary>The conversation's members at the version that the message is appended for; <c>default</c> for a large group.</summary>
    public ImmutableArray<string> Members { get; set; } = [];

    /// <summary>The membership version at which the sender was found to be a member of a large group; 0 = it was not looked up.</summary>
    public long SenderVersion { get; set; }

    /// <summary>Whether one more message is within the sender's rate.</summary>
    public virtual bool TryTakeRate() => true;

    /// <summary>The outcome, to be told to the sender. Called once; must not block.</summary>
    protected abstract void Complete(ImSendResult result);

    public void Relayed(long timeMs) => Complete(new ImSendResult
    {
        Outcome = ImSendOutcome.Relayed,
        ClientMessageId = ClientMessageId,
        ConversationId = ConversationId,
        TimeMs = timeMs,
    });

    public override void Answer(in AppendItemResult result)
    {
        if (result.Outcome == AppendOutcome.ClientIdReused)
        {
            Refuse(ImErrorCode.ClientIdReused, "This clientMessageId was used before for another message; give each message its own random id.");
            return;
        }

        Complete(new ImSendResult
        {
            Outcome = result.Outcome == AppendOutcome.Duplicate ? ImSendOutcome.Duplicate : ImSendOutcome.Stored,
            ClientMessageId = ClientMessageId,
            ConversationId = result.ConversationId,
            Seq = result.Seq,
            TimeMs = result.TimeMs,
        });
    }

    public override void Refuse(ImErrorCode code, string message) => Complete(new ImSendResult
    {
        Outcome = ImSendOutcome.Rejected,
        ClientMessageId = ClientMessageId,
        ConversationId = ConversationId,
        Code = code,
        Message = message,
    });
}
