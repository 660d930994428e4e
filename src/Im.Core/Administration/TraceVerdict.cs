using System.Globalization;
using System.Text;

namespace Im.Administration;

/// <summary>The word and the sentence at the end of a trace.</summary>
internal static class TraceVerdict
{
    public static string ExplainNoMember(AdminTrace trace)
    {
        var seq = trace.Message!.Seq;
        return trace.Stays.Count == 0
            ? $"\"{trace.UserId}\" was never a member of the conversation, so the message was not for this user."
            : trace.Stays[0].FirstSeq > seq
                ? Say($"\"{trace.UserId}\" joined with entry {trace.Stays[0].FirstSeq}, after the message (entry {seq}), so it was not for this user.")
                : Say($"\"{trace.UserId}\" had left with entry {trace.Stays.Last(stay => stay.LastSeq < seq).LastSeq}, before the message (entry {seq}), so it was not for this user.");
    }

    public static (AdminVerdict Verdict, string Text) Decide(AdminTrace trace, AdminTracedMessage message, bool hasNotifiers)
    {
        if (trace.Route == AdminRoute.Inbox && trace.InboxSeq == 0 && !message.IsBelowFloor)
        {
            return (message.IsGone ? AdminVerdict.Gone : AdminVerdict.NotAcked, "The message is stored for the user, but its place in the inbox was not found near its time: it was imported, or the "
                + "inbox no longer reaches back that far. Which devices have it cannot be told; all of them can read it from the history.");
        }

        if (message.IsBelowFloor)
        {
            return (AdminVerdict.Gone, "The message is past keeping: retention has forgotten it. Devices that did not have it by then do not get it any more.");
        }

        if (trace.Devices.Count == 0)
        {
            return trace.SilentNodes.Count > 0
                ? (AdminVerdict.NodeDidNotAnswer, $"No device of the user is known, but {Silent(trace)} did not answer.")
                : (AdminVerdict.NoDevice, "The message is stored. The user has never signed in with a device; the first one gets it with its conversations." + Notifier(trace, hasNotifiers));
        }

        var missing = trace.Devices.Where(device => device.State != AdminDeviceState.Acked).ToArray();
        if (missing.Length == 0)
        {
            return (AdminVerdict.Delivered, trace.Devices.Count == 1
                ? "Delivered: the user's one device has said that it has it."
                : Say($"Delivered: all {trace.Devices.Count} devices have said that they have it."));
        }

        var text = new StringBuilder();
        foreach (var device in missing)
        {
            text.Append(text.Length == 0 ? "" : " ").Append(Explain(device));
        }

        if (trace.SilentNodes.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $" {Silent(trace)} did not answer: the device may be connected there.");
        }

        if (message.IsGone)
        {
            text.Append(" The content is no longer kept (erased or past keeping): devices without it get the entry without it.");
        }

        return (Choose(trace, message, missing), text + Notifier(trace, hasNotifiers));
    }

    private static AdminVerdict Choose(AdminTrace trace, AdminTracedMessage message, AdminTracedDevice[] missing) =>
        message.IsGone ? AdminVerdict.Gone
        : missing.Length < trace.Devices.Count ? AdminVerdict.DeliveredToSome
        : Array.Exists(missing, device => device.State == AdminDeviceState.Behind) ? AdminVerdict.Behind
        : Array.Exists(missing, device => device.State == AdminDeviceState.Pushed) ? AdminVerdict.NotAcked
        : trace.SilentNodes.Count > 0 ? AdminVerdict.NodeDidNotAnswer
        : AdminVerdict.Offline;

    private static string Explain(AdminTracedDevice device) => device.State switch
    {
        AdminDeviceState.Pushed when device.Session!.QueuedBytes > 0 => Say(
            $"Device \"{device.DeviceId}\" on node {device.Session.Node}: handed to its connection, where {device.Session.QueuedBytes} bytes still wait to be written; not acknowledged."),
        AdminDeviceState.Pushed => $"Device \"{device.DeviceId}\" on node {device.Session!.Node}: sent to its connection, not acknowledged yet; if its connection is dead, it gets it again when it reconnects.",
        AdminDeviceState.Behind => $"Device \"{device.DeviceId}\" on node {device.Session!.Node}: connected, but its session has not come to it; it is still reading older entries, or its client does not read.",
        _ => $"Device \"{device.DeviceId}\": not connected; it gets the message when it signs in.",
    };

    private static string Notifier(AdminTrace trace, bool hasNotifiers)
    {
        if (trace.Notices.Count == 0)
        {
            return hasNotifiers
                ? " No node remembers whether an offline notifier was told: too long ago, or the node was restarted."
                : " No offline notifier is registered, so nobody was to be told.";
        }

        var last = trace.Notices[^1];
        return last.Outcome switch
        {
            AdminNoticeOutcome.Told => $" The offline notifier {last.Notifier} was told.",
            AdminNoticeOutcome.Failed => $" The offline notifier {last.Notifier} failed: {last.Error}",
            AdminNoticeOutcome.Dropped => " The offline notifier was not told: its queue was full.",
            AdminNoticeOutcome.Telling => " The offline notifier is being told.",
            _ => " No offline notifier was told, since the user had a session then or is the sender.",
        };
    }

    private static string Silent(AdminTrace trace) => $"{(trace.SilentNodes.Count == 1 ? "Node" : "Nodes")} {string.Join(", ", trace.SilentNodes)}";

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
