using Im.Storage;

namespace Im.Messaging;

/// <summary>The answer to a message whose id is stored already.</summary>
internal static class SentAnswers
{
    public static AppendItemResult ToResult(SentMessage sent, ContentHash hash) => new(
        sent.Hash == hash ? AppendOutcome.Duplicate : AppendOutcome.ClientIdReused, sent.ConversationId, sent.Seq, 0, sent.TimeMs, 0);
}
