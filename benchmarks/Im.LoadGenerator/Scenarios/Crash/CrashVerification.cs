using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Clients;

namespace Im.LoadGenerator.Scenarios.Crash;

/// <summary>
/// What a restarted server has in its store, read by another device of each user from the first entry on, must be what the first devices got.
/// </summary>
internal static class CrashVerification
{
    private const int AtOnce = 50;

    public static void Run(Context context, List<Device> devices)
    {
        var world = context.World;
        var ledger = context.Ledger;
        world.Acked = null;
        world.Refused = null;
        world.SignedIn = null;
        world.Ticked = () => context.Progress.Show(() => $"verifying: {ledger.Expected - ledger.Delivered:N0} deliveries to go");
        ledger.ExpectAgain();
        var readers = new List<Device>();
        foreach (var device in devices)
        {
            var reader = world.AddDevice(device.UserId, "verify", isSampled: false);
            reader.Generation = device.Generation;
            foreach (var place in device.Places)
            {
                // With fan-out on read the group's first entry comes through the inbox, and its own timeline goes on after it.
                reader.Join(place.Conversation, place.Conversation.IsRead ? 1 : 0);
            }

            readers.Add(reader);
        }

        try
        {
            world.ConnectAll(readers, AtOnce);
            context.WaitUntilSettled();
        }
        catch (RunFailedException exception)
        {
            // What they did not get is found below and by the audit.
            ledger.Error(exception.Message);
        }

        for (var i = 0; i < devices.Count; i++)
        {
            Compare(ledger, devices[i], readers[i]);
        }
    }

    private static void Compare(Ledger ledger, Device device, Device reader)
    {
        if (reader.InboxCursor != device.InboxCursor || reader.InboxCursor != reader.InboxHead)
        {
            ledger.Error($"{device.UserId}: the inbox was {device.InboxCursor} entries long, its head in the store is {reader.InboxHead}, and {reader.InboxCursor} could be read.");
        }

        for (var i = 0; i < device.Places.Count; i++)
        {
            var head = device.Places[i].Conversation.Head;
            if (device.Places[i].Last != head || reader.Places[i].Last != head)
            {
                ledger.Error($"{device.UserId}: {device.Places[i].Conversation.Id} has {head} entries, the device had {device.Places[i].Last}, and {reader.Places[i].Last} could be read.");
            }
        }
    }
}
