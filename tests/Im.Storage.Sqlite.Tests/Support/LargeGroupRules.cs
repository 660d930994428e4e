using System.Diagnostics;
using Im.Fanout;
using Im.Groups;
using Im.Messaging;
using Im.Model;
using Im.Storage;
using Im.Testing.Specification;
using Im.Timelines;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit.Abstractions;

namespace Im.Storage;

/// <summary>A group of 100,000 on a server with a database. The tests of each adapter run it; with IM_MEASURE=1 the figures of all operations are printed.</summary>
internal static class LargeGroupRules
{
    public const int Members = 100_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>1 = all operations within the default limits; 2 = one commit for everybody, as the limits forbid it.</summary>
    public static bool Measures => Environment.GetEnvironmentVariable("IM_MEASURE") is "1" or "2";

    private static bool IsUnlimited => Environment.GetEnvironmentVariable("IM_MEASURE") == "2";

    /// <summary>Created in parts, listed in pages, written to: nothing but the one entry, and no more than one look-up a sender.</summary>
    public static async Task AGroupOfAHundredThousandIsNeverLoadedWhole(
        Action<IImServerBuilder> use, Func<IServiceProvider, string, Task<long>> count, ITestOutputHelper output)
    {
        using var host = await StartAsync(use);
        var im = host.Services.GetRequiredService<IImServer>();
        var store = (CountingGroups)host.Services.GetRequiredService<IGroupStore>();
        string[] users = [.. Enumerable.Range(0, Members).Select(i => $"user-{i:D6}")];
        var created = await TimeAsync("create", () => im.Groups.CreateAsync(
            new NewGroup { GroupId = "all", Info = new GroupInfo("All"), MemberIds = users, ActorId = users[^1] }));
        Assert.Equal((Members, 100L, FanoutNames.Read), (created.MemberCount, created.Version, created.Fanout));
        Assert.Equal(Members, await count(host.Services, "SELECT COUNT(*) FROM im_members WHERE is_present = 1"));

        // One message is one row, and its sender is looked up once.
        var (entries, chunks) = (await EntriesAsync(), await ChunksAsync());
        var lookups = store.Lookups;
        var sent = await TimeAsync("first send", () => SendAsync(users[5]));
        Assert.Equal((ImSendOutcome.Stored, 101L), (sent.Outcome, sent.Seq.Value));
        await TimeAsync("second send", () => SendAsync(users[5]));
        Assert.Equal((entries + 2, chunks), (await EntriesAsync(), await ChunksAsync()));
        Assert.Equal(lookups + 1, store.Lookups);

        // Nor is anybody looked up again who is known when others come and go.
        await TimeAsync("remove one", () => im.Groups.RemoveMembersAsync("all", [users[7]], "$host"));
        lookups = store.Lookups;
        Assert.Equal(ImSendOutcome.Stored, (await SendAsync(users[5])).Outcome);
        Assert.Equal(lookups, store.Lookups);
        Assert.Equal(ImErrorCode.NotAMember, (await SendAsync(users[7])).Code);
        Assert.Equal(ImErrorCode.NotAMember, (await SendAsync("stranger")).Code);
        Assert.Equal(Members, (await TimeAsync("add one", () => im.Groups.AddMembersAsync("all", [users[7]], "$host"))).MemberCount);
        Assert.Equal(ImSendOutcome.Stored, (await SendAsync(users[7])).Outcome);

        var listed = new List<string>();
        await TimeAsync("list", async () =>
        {
            while (await im.Groups.ListMembersAsync("all", listed.LastOrDefault(), 1000) is { Count: > 0 } page)
            {
                listed.AddRange(page);
            }

            return true;
        });
        Assert.Equal(users, listed);

        // To tell each of so many in one commit would hold everybody else up.
        if (IsUnlimited)
        {
            await MeasureAsync("switch 100,000 to write", () => im.Groups.SetFanoutAsync("all", FanoutNames.Write, "$host"));
            await TimeAsync("send to 100,000 inboxes", () => SendAsync(users[5]));
            await MeasureAsync("switch 100,000 to read", () => im.Groups.SetFanoutAsync("all", FanoutNames.Read, "$host"));
            await MeasureAsync("dissolve 100,000 in one commit", DissolveAsync);
            await host.StopAsync().WaitAsync(Patience);
            return;
        }

        var refused = await Assert.ThrowsAsync<ImException>(() => im.Groups.SetFanoutAsync("all", FanoutNames.Write, "$host").AsTask().WaitAsync(Patience));
        Assert.Equal(ImErrorCode.TooManyMembers, refused.Code);
        Assert.InRange(store.MostMembers, 0, 1000);
        if (Measures)
        {
            await MeasureAsync("dissolve", DissolveAsync);
            await TimeAsync("create 10,000", () => im.Groups.CreateAsync(
                new NewGroup { GroupId = "all2", Info = new GroupInfo("All"), MemberIds = users[..10_000], ActorId = users[0] }));
            await MeasureAsync("switch 10,000 to write", () => im.Groups.SetFanoutAsync("all2", FanoutNames.Write, "$host"));
            await MeasureAsync("switch 10,000 to read", () => im.Groups.SetFanoutAsync("all2", FanoutNames.Read, "$host"));
        }

        await host.StopAsync().WaitAsync(Patience);

        async ValueTask<bool> DissolveAsync()
        {
            await im.Groups.DissolveAsync("all", "$host");
            return (await im.Groups.GetAsync("all"))!.IsDissolved;
        }

        async Task MeasureAsync<T>(string what, Func<ValueTask<T>> work)
        {
            // Others' sends go on meanwhile: the longest one says how long the lane was busy.
            var longest = TimeSpan.Zero;
            var working = TimeAsync(what, work);
            while (!working.IsCompleted)
            {
                var started = Stopwatch.GetTimestamp();
                await im.Messages.SendAsync(new OutgoingMessage { SenderId = "x", ToUserId = "y", Content = MessageContent.FromText("x") });
                var took = Stopwatch.GetElapsedTime(started);
                longest = took > longest ? took : longest;
            }

            await working;
            output.WriteLine($"longest other send meanwhile: {longest.TotalMilliseconds:F0} ms");
        }

        Task<long> EntriesAsync() => count(host.Services, "SELECT COUNT(*) FROM im_entries");
        Task<long> ChunksAsync() => count(host.Services, "SELECT COUNT(*) FROM im_inbox_chunks");

        ValueTask<ImSendResult> SendAsync(string sender) => im.Messages.SendAsync(
            new OutgoingMessage { SenderId = sender, ConversationId = "g:all", Content = MessageContent.FromText("hello") });

        async Task<T> TimeAsync<T>(string what, Func<ValueTask<T>> work)
        {
            var started = Stopwatch.GetTimestamp();
            var result = await work().AsTask().WaitAsync(Patience);
            output.WriteLine($"{what}: {Stopwatch.GetElapsedTime(started).TotalMilliseconds:F1} ms");
            return result;
        }
    }

    private static async Task<IHost> StartAsync(Action<IImServerBuilder> use)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var im = builder.Services.AddImServer(options => options.MaxPinnedWriteFanoutMembers = IsUnlimited ? Members : options.MaxPinnedWriteFanoutMembers)
            .AddUserProvider<Everybody>();
        use(im);
        var inner = im.Services.Last(service => service.ServiceType == typeof(IGroupStore));
        im.Services.Remove(inner);
        im.Services.AddSingleton<IGroupStore>(services => new CountingGroups((IGroupStore)inner.ImplementationFactory!(services)));
        var host = builder.Build();
        await host.StartAsync().WaitAsync(Patience);
        return host;
    }

    private sealed class CountingGroups(IGroupStore inner) : IGroupStore
    {
        public int Lookups { get; private set; }

        public int MostMembers { get; private set; }

        public async ValueTask<IReadOnlyList<StoredGroup?>> GetGroupsAsync(
            IReadOnlyList<string> conversationIds, int maxMembers, CancellationToken cancellationToken)
        {
            var groups = await inner.GetGroupsAsync(conversationIds, maxMembers, cancellationToken);
            MostMembers = Math.Max(MostMembers, groups.Max(group => group is { Members.IsDefault: false } ? group.Members.Length : 0));
            return groups;
        }

        public ValueTask<FoundMembers?> FindMembersAsync(string conversationId, IReadOnlyList<string> userIds, CancellationToken cancellationToken)
        {
            Lookups++;
            return inner.FindMembersAsync(conversationId, userIds, cancellationToken);
        }

        public ValueTask<MemberPage?> ReadMembersAsync(string conversationId, string? afterUserId, int limit, CancellationToken cancellationToken) =>
            inner.ReadMembersAsync(conversationId, afterUserId, limit, cancellationToken);
    }

    private sealed class Everybody : IUserProvider
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
            ValueTask.FromResult(AuthenticationResult.Success(request.Token));

        public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Select(userId => new ImUser(userId))]);
    }
}
