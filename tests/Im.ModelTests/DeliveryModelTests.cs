using System.Diagnostics;
using Im.Client;
using Xunit.Abstractions;

namespace Im.ModelTests;

/// <summary>
/// Users, devices, groups and networks that misbehave at random, and at the end every device has exactly what it should have.
/// <c>IM_MODEL_MESSAGES=100000</c> makes it long, <c>IM_SEED=n</c> runs that schedule again (what threads make of it may differ).
/// </summary>
public class DeliveryModelTests(ITestOutputHelper output)
{
    [Fact]
    public async Task EveryDeviceEndsWithExactlyTheEntriesItShouldHave()
    {
        var plan = ModelPlan.FromEnvironment(messages: 3000);
        Say($"IM_SEED={plan.Seed} IM_MODEL_MESSAGES={plan.Messages}");
        var watch = Stopwatch.StartNew();
        await using var world = new World(plan);
        try
        {
            await RunAsync(world, watch).WaitAsync(TimeSpan.FromSeconds(60 + (plan.Messages / 100)));
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            Say(world.Statistics.ToString());
            Assert.Fail($"IM_SEED={plan.Seed}: {world.FirstViolations()}\n{e}");
        }

        Say($"{watch.Elapsed.TotalSeconds:0.0} s");
        Say(world.Statistics.ToString());
        CheckThatItHappened(world);
    }

    private async Task RunAsync(World world, Stopwatch watch)
    {
        await world.StartServerAsync();
        var schedule = new Schedule(world);
        await schedule.BeginAsync();
        await schedule.RunAsync();
        Say($"{watch.Elapsed.TotalSeconds:0.0} s: scheduled");
        ThrowIfViolated(world);
        await schedule.EndAsync();
        Say($"{watch.Elapsed.TotalSeconds:0.0} s: all answered");
        ThrowIfViolated(world);

        var oracle = await Oracle.ReadAsync(world);
        Say($"{watch.Elapsed.TotalSeconds:0.0} s: read {oracle.Messages} messages");
        Check(world, oracle.CheckSends());
        Check(world, await oracle.CheckUnreadAsync());
        await Until.ProgressAsync(
            () => world.HasViolations || world.Devices.All(device => device.Log.Count >= oracle.CountFor(device) && oracle.CountFor(device) >= 0),
            () => world.Devices.Sum(device => device.Log.Count),
            () => string.Join("\n\n", world.Devices.Select(oracle.CheckDevice).Where(problem => problem is not null).Take(2)));
        await Task.WhenAll(world.Devices.Select(FlushAsync)).WaitAsync(TimeSpan.FromSeconds(60));
        ThrowIfViolated(world);
        foreach (var device in world.Devices)
        {
            Check(world, oracle.CheckDevice(device));
            world.Statistics.Add("entries held at the end", device.Log.Count);
        }

        world.Statistics.Add("messages stored at the end", oracle.Messages);
        world.Statistics.Add("devices", world.Devices.Count);
    }

    // What the server wrote before this answer has arrived.
    private static async Task FlushAsync(Device device)
    {
        while (true)
        {
            try
            {
                await device.Client!.SyncBeforeAsync(Im.Model.ConversationId.Direct(device.UserId, device.UserId == "u00" ? "u01" : "u00"), maxEntries: 1);
                return;
            }
            catch (ImClientException e) when (e.Failure == ImClientFailure.TimedOut)
            {
            }
        }
    }

    private static void ThrowIfViolated(World world) => Check(world, world.HasViolations ? world.FirstViolations() : null);

    private static void Check(World world, string? problem)
    {
        if (problem is not null)
        {
            Assert.Fail($"IM_SEED={world.Plan.Seed} replays this schedule.\n{problem}\n\n{world.Statistics}");
        }
    }

    private static void CheckThatItHappened(World world)
    {
        var scale = world.Plan.Messages / 3000.0;
        var counts = new (string Name, int AtLeast)[]
        {
            ("answer Stored", 1500), ("answer Duplicate", 40), ("answer ClientIdReused", 15), ("answer NotAMember", 20),
            ("cuts at once", 20), ("cuts inside what a client wrote", 15), ("cuts inside what the server wrote", 15),
            ("readers stopped", 15), ("links stalled", 10), ("slow devices", 10), ("processes crashed", 8), ("processes ended", 8),
            ("replaced", 2), ("devices started new", 1), ("entries again after a restart of the process", 1), ("marks moved", 40),
            ("group adds", 10), ("group removes", 5), ("group rejoins", 3), ("group switches to read", 5), ("group switches to write", 5),
            ("groups dissolved", 1), ("resends by another device", 20), ("server im.sessions.behind", 10),
            ("server im.connections.closed token_expired", 5), ("expired tokens shown at sign-in", 3), ("server im.catch_up.pages store", 20),
        };
        foreach (var (name, atLeast) in counts)
        {
            Assert.True(world.Statistics.Sum(name) >= atLeast * scale * 0.5, $"IM_SEED={world.Plan.Seed}: too few of \"{name}\": {world.Statistics.Sum(name)}.");
        }

        Assert.Equal(1, world.Statistics["server restarts"]);
        Assert.True(world.Statistics["resets"] > world.Plan.Devices, "The restart reset nobody.");
    }

    private void Say(string what)
    {
        output.WriteLine(what);
        Console.WriteLine(what);
    }
}
