using Im.Diagnostics;
using Im.IntegrationTests.Support;

namespace Im.IntegrationTests.Interleavings;

/// <summary>
/// Messages and changes of membership committed and delivered in every window of a sign-in: the device ends with exactly the entries that its
/// user's membership gives it, each once, each timeline contiguous.
/// </summary>
public sealed class InterleavingTests(InterleavingFixture fixture) : IClassFixture<InterleavingFixture>
{
    private static readonly Dictionary<string, Func<Scenario, Task>> Happenings = new()
    {
        ["messages"] = async scenario =>
        {
            await scenario.SayAsync(1);
            await scenario.SayAsync(1);
            await scenario.SayAsync(7);
        },
        ["leave"] = async scenario =>
        {
            await scenario.SayAsync(2);
            await scenario.LeaveAsync();
            await scenario.SayAsync(2);
        },
        ["leave and rejoin"] = async scenario =>
        {
            await scenario.SayAsync(1);
            await scenario.LeaveAsync();
            await scenario.SayAsync(2);
            await scenario.JoinAsync();
            await scenario.SayAsync(2);
        },
        ["leave, rejoin and leave"] = async scenario =>
        {
            await scenario.LeaveAsync();
            await scenario.SayAsync(1);
            await scenario.JoinAsync();
            await scenario.SayAsync(2);
            await scenario.LeaveAsync();
            await scenario.SayAsync(1);
        },
        ["switch"] = async scenario =>
        {
            await scenario.SayAsync(1);
            await scenario.SwitchAsync();
            await scenario.SayAsync(2);
        },
        ["switch and back"] = async scenario =>
        {
            await scenario.SwitchAsync();
            await scenario.SayAsync(2);
            await scenario.SwitchAsync();
            await scenario.SayAsync(2);
        },
        ["dissolve"] = async scenario =>
        {
            await scenario.SayAsync(2);
            await scenario.DissolveAsync();
        },
        ["others come and go"] = async scenario =>
        {
            await scenario.OthersComeAndGoAsync();
            await scenario.SayAsync(2);
        },
        ["join"] = async scenario =>
        {
            await scenario.SayAsync(1);
            await scenario.JoinAsync();
            await scenario.SayAsync(2);
        },
        ["join and leave"] = async scenario =>
        {
            await scenario.JoinAsync();
            await scenario.SayAsync(2);
            await scenario.LeaveAsync();
            await scenario.SayAsync(2);
        },
        ["a new group"] = async scenario =>
        {
            await scenario.CreateAnotherAsync();
            await scenario.SayAsync(1);
        },
    };

    public static TheoryData<string, Window, string, bool> AllRows()
    {
        var data = new TheoryData<string, Window, string, bool>();
        foreach (var happening in Happenings.Keys)
        {
            foreach (var window in Enum.GetValues<Window>())
            {
                foreach (var fanout in new[] { "write", "read" })
                {
                    // Only a member's session reads a group's own timeline.
                    if (window == Window.PageChosen && (fanout == "write" || happening.StartsWith("join", StringComparison.Ordinal)))
                    {
                        continue;
                    }

                    data.Add(happening, window, fanout, true);
                    data.Add(happening, window, fanout, false);
                }
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(AllRows))]
    public async Task ADeviceThatSignsInMeanwhileEndsWithExactlyItsEntries(string happening, Window window, string fanout, bool reset)
    {
        var scenario = await Scenario.CreateAsync(fixture.Server, fanout, isMember: !happening.StartsWith("join", StringComparison.Ordinal), reset);
        var happen = () => Happenings[happening](scenario);
        switch (window)
        {
            case Window.Before:
                await happen().InTimeAsync();
                await scenario.SignInAsync();
                break;
            case Window.Registered:
                await HoldSignInAsync(scenario, Checkpoint.SignInRegistered, happen);
                break;
            case Window.Read:
                await HoldSignInAsync(scenario, Checkpoint.SignInRead, happen);
                break;
            case Window.PageChosen:
                await HoldSignInAsync(scenario, Checkpoint.PageChosen, happen);
                break;
            case Window.PageRead:
                await HoldSignInAsync(scenario, Checkpoint.PageRead, happen);
                break;
            case Window.Live:
                await scenario.SignInAsync();
                await happen().InTimeAsync();
                break;
            case Window.CommittedBeforeDeliveredRegistered:
                await HoldDeliveryAsync(scenario, Checkpoint.SignInRegistered, happen);
                break;
            case Window.CommittedBeforeDeliveredRead:
                await HoldDeliveryAsync(scenario, Checkpoint.SignInRead, happen);
                break;
            case Window.CommittedBeforeDeliveredPageRead:
                await HoldDeliveryAsync(scenario, Checkpoint.PageRead, happen);
                break;
            case Window.CommittedBeforeDeliveredLive:
                await HoldDeliveryAsync(scenario, null, happen);
                break;
            case Window.CommittedRegisteredDeliveredRead:
                await HoldBothAsync(scenario, Checkpoint.SignInRead, happen);
                break;
            case Window.CommittedRegisteredDeliveredLive:
                await HoldBothAsync(scenario, null, happen);
                break;
        }

        await scenario.AssertExactAsync();
    }

    // The sign-in waits at the checkpoint while everything happens.
    private static async Task HoldSignInAsync(Scenario scenario, Checkpoint checkpoint, Func<Task> happen)
    {
        using var gate = new Gate(scenario.Server.Checkpoints, checkpoint);
        var signIn = scenario.SignInAsync();
        await gate.ReachedAsync();
        await happen().InTimeAsync();
        gate.Release();
        await signIn;
    }

    // The first commit waits, undelivered, until the sign-in has come to the checkpoint, or is answered.
    private static async Task HoldDeliveryAsync(Scenario scenario, Checkpoint? until, Func<Task> happen)
    {
        using var delivery = new Gate(scenario.Server.Checkpoints, Checkpoint.Committed);
        var happening = happen();
        await delivery.ReachedAsync();
        await SignInUntilAsync(scenario, until, async () =>
        {
            delivery.Release();
            await happening.InTimeAsync();
        });
    }

    // The session stands in the registry when the first commit is made, which is not delivered until the checkpoint, or the answer.
    private static async Task HoldBothAsync(Scenario scenario, Checkpoint? until, Func<Task> happen)
    {
        using var registered = new Gate(scenario.Server.Checkpoints, Checkpoint.SignInRegistered);
        using var delivery = new Gate(scenario.Server.Checkpoints, Checkpoint.Committed);
        using var later = until is null ? null : new Gate(scenario.Server.Checkpoints, until.Value);
        var signIn = scenario.SignInAsync();
        await registered.ReachedAsync();
        var happening = happen();
        await delivery.ReachedAsync();
        registered.Release();
        await (later?.ReachedAsync() ?? signIn);
        delivery.Release();
        await happening.InTimeAsync();
        later?.Release();
        await signIn;
    }

    private static async Task SignInUntilAsync(Scenario scenario, Checkpoint? until, Func<Task> goOn)
    {
        using var gate = until is null ? null : new Gate(scenario.Server.Checkpoints, until.Value);
        var signIn = scenario.SignInAsync();
        await (gate?.ReachedAsync() ?? signIn);
        await goOn();
        gate?.Release();
        await signIn;
    }
}
