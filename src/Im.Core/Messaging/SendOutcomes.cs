using Im.Model;
using Im.Protocol;

namespace Im.Messaging;

/// <summary>How outcomes stand on the wire and in metric tags.</summary>
internal static class SendOutcomes
{
    public static string GetName(ImSendOutcome outcome) => outcome switch
    {
        ImSendOutcome.Stored => "stored",
        ImSendOutcome.Duplicate => "duplicate",
        ImSendOutcome.Relayed => "relayed",
        ImSendOutcome.Queued => "queued",
        _ => "rejected",
    };

    public static SendResult ToWire(ImSendOutcome outcome) => outcome switch
    {
        ImSendOutcome.Stored => SendResult.Stored,
        ImSendOutcome.Duplicate => SendResult.Duplicate,
        ImSendOutcome.Relayed => SendResult.Relayed,
        _ => SendResult.Unspecified,
    };
}
