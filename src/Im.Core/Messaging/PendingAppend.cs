using System.Diagnostics;
using Im.Diagnostics;
using Im.Model;
using Im.Protocol;
using Im.Storage;
using Microsoft.Extensions.Logging;

namespace Im.Messaging;

/// <summary>A message or change on its way through the committer. Owned by one stage at a time: who submits it, then the committer.</summary>
internal abstract class PendingAppend
{
    public required string SenderId { get; init; }

    public string SenderDeviceId { get; init; } = "";

    public required string ClientMessageId { get; init; }

    /// <summary>Set once the target is resolved.</summary>
    public string ConversationId { get; set; } = "";

    public ContentHash Hash { get; set; }

    public EntryKind Kind { get; init; } = EntryKind.Message;

    /// <summary>An <c>im.v1.Entry</c> with nothing but its body set.</summary>
    public ReadOnlyMemory<byte> Body { get; set; }

    /// <summary>Server time, set by the committer; a retry keeps it.</summary>
    public long TimeMs { get; set; }

    /// <summary>How often the append was proposed again.</summary>
    public int Retries { get; set; }

    /// <summary>The trace of the send; ended by the answer.</summary>
    public Activity? Activity { get; init; }

    /// <summary>The answer for what the store took or had taken before. Called once, on the committer's thread; must not block.</summary>
    public abstract void Answer(in AppendItemResult result);

    /// <summary>The answer for what is not stored. Called once in place of the other; must not block.</summary>
    public abstract void Refuse(ImErrorCode code, string message);

    /// <summary>As <see cref="Refuse"/>; whatever goes wrong with one sender's answer is that sender's only.</summary>
    public void TryRefuse(ImErrorCode code, string message, ILogger logger)
    {
        try
        {
            Refuse(code, message);
        }
        catch (Exception exception)
        {
            Log.RefusalFailed(logger, ConversationId, exception);
        }
    }
}
