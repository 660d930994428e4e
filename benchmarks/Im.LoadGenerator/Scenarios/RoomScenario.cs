using Im.LoadGenerator.Checks;
using Im.LoadGenerator.Output;

namespace Im.LoadGenerator.Scenarios;

/// <summary>The rounds of <see cref="GroupScenario"/> in a room.</summary>
internal sealed class RoomScenario(Context context) : GroupScenario(context)
{
    private const string RoomId = "load";

    private readonly Context _context = context;

    protected override Conversation Join(Report report)
    {
        var world = _context.World;
        var count = _context.Options.Members;
        var room = world.AddConversation(RoomId, isRoom: true);
        room.Receivers = count;
        for (var i = 0; i < count; i++)
        {
            _context.AddDevice(i, count).Join(room);
        }

        world.ConnectAll(_context.Ledger.Devices);
        foreach (var device in _context.Ledger.Devices)
        {
            device.Subscribe(room);
        }

        if (!_context.Loop.RunUntil(() => world.Subscribed == count, _context.Options.Patience))
        {
            throw new RunFailedException($"Only {world.Subscribed} of {count} clients were let into the room.");
        }

        report.Members = count;
        return room;
    }
}
