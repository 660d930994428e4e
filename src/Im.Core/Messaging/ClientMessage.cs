using System.Diagnostics;
using Im.Connections;
using Im.Diagnostics;
using Im.Model;
using Im.Protocol;

namespace Im.Messaging;

/// <summary>A message that came over a connection; the answer is a send ack or an error that repeats the request id.</summary>
internal sealed class ClientMessage(Connection connection, uint requestId, ImMetrics metrics) : PendingMessage
{
    /// <summary>Where it came from: a relayed message is not sent back there.</summary>
    public Connection Connection => connection;

    public override bool TryTakeRate() => connection.SendRate.TryTake(NonPersistent ? null : ClientMessageId);

    protected override void Complete(ImSendResult result)
    {
        metrics.Sent(SendOutcomes.GetName(result.Outcome), 1);
        if (result.Outcome == ImSendOutcome.Rejected)
        {
            Activity?.SetStatus(ActivityStatusCode.Error, ImErrorCodes.GetName(result.Code));
            connection.ReplyError(requestId, result.Code, result.Message);
        }
        else
        {
            connection.Reply(requestId, new ServerPacket
            {
                SendAck = new SendAck
                {
                    Result = SendOutcomes.ToWire(result.Outcome),
                    ClientMessageId = result.ClientMessageId,
                    ConversationId = result.ConversationId,
                    ConversationSeq = result.Seq.Value,
                    TimeMs = result.TimeMs,
                },
            });
        }

        Activity?.Dispose();
        connection.EndPending();
    }
}
