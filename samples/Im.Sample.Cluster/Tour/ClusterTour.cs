using Im.Client;
using Im.Model;

namespace Im.Sample.Cluster.Tour;

/// <summary>A conversation across two nodes, from beginning to end, while nodes and Redis come and go.</summary>
internal static class ClusterTour
{
    public static async Task<int> RunAsync(string[] args)
    {
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, key) =>
        {
            key.Cancel = true;
            stop.Cancel();
        };
        try
        {
            Programs.Require();
            await using var place = new Place();
            await TalkAsync(place, stop.Token);
            if (args.Contains("--stay"))
            {
                Say($"The nodes stay: {place.AddressOf(1)} and {place.AddressOf(2)}, health at {place.PageOf(1)}health and {place.PageOf(2)}health. Ctrl+C ends them.");
                await Task.Delay(Timeout.Infinite, stop.Token);
            }

            return 0;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            Say("Ended; so is everything that was started.");
            return 0;
        }
        catch (Exception problem)
        {
            Console.Error.WriteLine(problem is TourException ? problem.Message : $"The tour broke off: {problem}");
            return 1;
        }
    }

    private static async Task TalkAsync(Place place, CancellationToken cancellationToken)
    {
        Say("Two nodes, one MariaDB for what must last, one Redis for who is where.");
        Note($"Redis is process {(await place.StartRedisAsync(cancellationToken)).Id}.");
        Note($"MariaDB is process {(await place.StartMariaDbAsync(cancellationToken)).Id}.");
        foreach (var number in new[] { 1, 2 })
        {
            Note($"node{number} is process {(await place.StartNodeAsync(number, cancellationToken)).Id}, at {place.AddressOf(number)}.");
        }

        await place.WhenHealthIsAsync("Healthy", cancellationToken, 1, 2);
        var (one, two) = (place.AddressOf(1), place.AddressOf(2));
        var bobsCursors = new MemoryCursorStore();

        Say("Alice is connected to node 1, Bob to node 2. They do not notice.");
        await using var alice = new Device("alice", "phone", new MemoryCursorStore(), one, two);
        var bob = new Device("bob", "tablet", bobsCursors, two);
        await Task.WhenAll(alice.ConnectAsync(), bob.ConnectAsync());
        await alice.SayAsync(ImTarget.User("bob"), "Hello from node 1.");
        await bob.HearAsync();
        await bob.SayAsync(ImTarget.User("alice"), "Hello from node 2.");
        await alice.HearAsync();

        Say("A group with Carol, who has a device on each node.");
        await using var carolsPhone = new Device("carol", "mobile", new MemoryCursorStore(), one, two);
        await using var carolsLaptop = new Device("carol", "laptop", new MemoryCursorStore(), two, one);
        await Task.WhenAll(carolsPhone.ConnectAsync(), carolsLaptop.ConnectAsync());
        await place.CreateGroupAsync(2, "friends", ["alice", "bob", "carol"]);
        var friends = ImTarget.Conversation(ConversationId.Group("friends"));
        await alice.SayAsync(friends, "All together now.");
        await Task.WhenAll(bob.HearAsync(), carolsPhone.HearAsync(), carolsLaptop.HearAsync());

        Say("Bob goes out of reach. What is said meanwhile waits for him.");
        await bob.DisposeAsync();
        await alice.SayAsync(friends, "Bob is away.");
        await Task.WhenAll(carolsPhone.HearAsync(), carolsLaptop.HearAsync());
        await alice.SayAsync(ImTarget.User("bob"), "Read this later.");

        Say("He comes back on node 1 this time: the same device, from where it was.");
        bob = new Device("bob", "tablet", bobsCursors, one);
        await bob.ConnectAsync();
        await bob.HearAsync();
        await bob.HearAsync();

        Say("The same device signs in on node 2 as well: only the newest connection stays.");
        await using var newBob = new Device("bob", "tablet", new MemoryCursorStore(), two, one);
        await newBob.ConnectAsync();
        var closed = await bob.Client.Closed.WaitAsync(TimeSpan.FromSeconds(10), cancellationToken);
        Note($"The connection on node 1 was closed: {closed.Code}.");
        await bob.DisposeAsync();

        await KillNodeAsync(place, alice, newBob, carolsLaptop, carolsPhone, friends, cancellationToken);
        await KillRedisAsync(place, alice, newBob, carolsLaptop, carolsPhone, friends, cancellationToken);
        Say("Every message came to every device once, whatever died. That was all; the processes are ended now.");
    }

    private static async Task KillNodeAsync(
        Place place, Device alice, Device bob, Device laptop, Device phone, ImTarget friends, CancellationToken cancellationToken)
    {
        Say("node2 is killed (SIGKILL). Its devices go on at node 1.");
        await place.KillAsync("node2");
        await alice.SayAsync(friends, "Is anybody still there?");
        await Task.WhenAll(bob.HearAsync(), laptop.HearAsync(), phone.HearAsync());
        await bob.SayAsync(friends, "Yes, on node 1 now.");
        await Task.WhenAll(alice.HearAsync(), laptop.HearAsync(), phone.HearAsync());

        Say("node2 starts again under its name, as soon as its old lease is over.");
        Note($"node2 is process {(await place.StartNodeAsync(2, cancellationToken)).Id}.");
        await place.WhenHealthIsAsync("Healthy", cancellationToken, 1, 2);
        Note("Both nodes are healthy.");
    }

    private static async Task KillRedisAsync(
        Place place, Device alice, Device bob, Device laptop, Device phone, ImTarget friends, CancellationToken cancellationToken)
    {
        Say("Dave signs in on node 2, and Redis is killed. The nodes go on, each by itself; they look into the store for what others wrote.");
        await using var dave = new Device("dave", "phone", new MemoryCursorStore(), place.AddressOf(2));
        await dave.ConnectAsync();
        await place.KillAsync("redis");
        await alice.SayAsync(ImTarget.User("dave"), "No Redis between us.");
        await dave.HearAsync();
        await place.WhenHealthIsAsync("Degraded", cancellationToken, 1, 2);
        Note("Both nodes say: degraded.");

        Say("An empty Redis takes its place. The nodes fill it again.");
        Note($"Redis is process {(await place.StartRedisAsync(cancellationToken)).Id}.");
        await place.WhenHealthIsAsync("Healthy", cancellationToken, 1, 2);
        Note("Both nodes are healthy.");
        await alice.SayAsync(ImTarget.User("dave"), "Live again.");
        await dave.HearAsync();
        await bob.SayAsync(friends, "Good night.");
        await Task.WhenAll(alice.HearAsync(), laptop.HearAsync(), phone.HearAsync());
    }

    private static void Say(string text) => Console.WriteLine($"\n{text}");

    private static void Note(string text) => Console.WriteLine($"    {text}");
}
