using Im.Connections;
using Im.Conversations;
using Im.Diagnostics;
using Im.Fanout;
using Im.Groups;
using Im.Messaging;
using Im.Model;
using Im.Storage;
using Im.Timelines;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Im.Core.Tests.Messaging;

/// <summary>What the committer promises whatever the store answers: order, one answer each, nothing lost.</summary>
public sealed class CommitterTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task StaleHeadsCostARetryAndNothingElse()
    {
        await using var server = await Server.StartAsync();
        server.Store.StaleHeads = 3;
        var results = await server.SendAsync("alice", Enumerable.Range(1, 10).Select(i => $"m{i}"));
        Assert.All(results, result => Assert.Equal(ImSendOutcome.Stored, result.Outcome));
        Assert.Equal(Enumerable.Range(1, 10).Select(i => (long)i), results.Select(result => result.Seq.Value));
        Assert.Equal(0, server.Store.StaleHeads);
    }

    // Another node writes into the same conversation without a pause, and is always the faster one.
    [Fact]
    public async Task ABusierNodeDoesNotStarveThisOne()
    {
        await using var server = await Server.StartAsync();
        await server.SendAsync("alice", ["first"]);
        server.Store.OtherNodeIsFaster = true;
        var before = server.Store.Batches;
        Assert.Equal(ImSendOutcome.Stored, (await server.SendAsync("alice", ["second"]))[0].Outcome);
        Assert.Equal(2, server.Store.Batches - before);
    }

    // Traps 2 and 3: who sends "a" then "b" reads "a" then "b", also when "a" had to be proposed again.
    [Fact]
    public async Task ItemsThatAreRetriedForAStaleVersionKeepTheirOrderBeforeLaterOnes()
    {
        await using var server = await Server.StartAsync();
        await server.Im.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new GroupInfo("g"), MemberIds = ["alice", "bob"], ActorId = "alice" });
        var random = new Random(7);
        var sends = new List<Task<IReadOnlyList<ImSendResult>>>();
        for (var i = 0; i < 200; i++)
        {
            if (random.Next(5) == 0)
            {
                // Behind the cache's back, as another node would.
                server.Store.RaiseVersion = true;
            }

            sends.Add(server.SendAsync("alice", [$"{i:000}"], "g:g").AsTask());
        }

        var results = await Task.WhenAll(sends).WaitAsync(Patience);
        Assert.All(results, result => Assert.Equal(ImSendOutcome.Stored, result[0].Outcome));
        var seqs = results.Select(result => result[0].Seq.Value).ToArray();
        Assert.Equal(seqs.Order(), seqs);
        Assert.True(server.Store.StaleVersions > 0);
    }

    // Trap 22: nobody believes that something is stored which is not.
    [Fact]
    public async Task ACommitThatFailsIsAnsweredWithAnErrorAndTheLaneGoesOn()
    {
        await using var server = await Server.StartAsync();
        server.Store.Failures = 1;
        var refused = (await server.SendAsync("alice", ["a"]))[0];
        Assert.Equal((ImSendOutcome.Rejected, ImErrorCode.StorageUnavailable), (refused.Outcome, refused.Code));
        var stored = (await server.SendAsync("alice", ["a"]))[0];
        Assert.Equal((ImSendOutcome.Stored, 1L), (stored.Outcome, stored.Seq.Value));
    }

    // A driver's own timeout is an OperationCanceledException too.
    [Fact]
    public async Task AReloadThatIsCancelledByTheStoreIsAnsweredAndTheLaneGoesOn()
    {
        await using var server = await Server.StartAsync();
        await server.Im.Groups.CreateAsync(new NewGroup { GroupId = "g", Info = new GroupInfo("g"), MemberIds = ["alice", "bob"], ActorId = "alice" });
        server.Groups.Cancellations = 1;
        server.Store.RaiseVersion = true;
        var refused = (await server.SendAsync("alice", ["a"], "g:g"))[0];
        Assert.Equal(ImSendOutcome.Rejected, refused.Outcome);
        Assert.Equal(ImSendOutcome.Stored, (await server.SendAsync("alice", ["a"], "g:g"))[0].Outcome);
    }

    [Fact]
    public async Task WhatGathersDuringACommitIsOneBatch()
    {
        await using var server = await Server.StartAsync();
        var hold = new TaskCompletionSource();
        var reached = new TaskCompletionSource();
        server.Checkpoints.OnReached = async (checkpoint, _) =>
        {
            if (checkpoint == Checkpoint.BeforeAppend && reached.TrySetResult())
            {
                await hold.Task.WaitAsync(Patience);
            }
        };
        var first = server.SendAsync("alice", ["first"]).AsTask();
        await reached.Task.WaitAsync(Patience);
        var before = server.Store.Batches;
        var rest = server.SendAsync("bob", Enumerable.Range(1, 50).Select(i => $"m{i}")).AsTask();
        hold.SetResult();
        await Task.WhenAll(first, rest).WaitAsync(Patience);
        Assert.InRange(server.Store.Batches - before, 2, 3);
    }

    // The commit log of a node goes on over restarts, also where the clock was set back meanwhile.
    [Fact]
    public async Task BatchNumbersGoOnAfterTheStoresLastOne()
    {
        var state = new Storage.InMemory.InMemoryState();
        for (var start = 0; start < 3; start++)
        {
            await using var server = await Server.StartAsync(state);
            await server.SendAsync("alice", ["a"]);
            await server.SendAsync("alice", ["b"]);
            Assert.Equal((start * 2) + 2, await server.Store.GetLastBatchNumberAsync(Environment.MachineName, default));
        }
    }

    private sealed class Server(IHost host) : IAsyncDisposable
    {
        public IImServer Im => host.Services.GetRequiredService<IImServer>();

        public TroubledStore Store => (TroubledStore)host.Services.GetRequiredService<IMessageStore>();

        public TroubledGroups Groups => (TroubledGroups)host.Services.GetRequiredService<IGroupStore>();

        public Checkpoints Checkpoints => host.Services.GetRequiredService<Checkpoints>();

        public static async Task<Server> StartAsync(Storage.InMemory.InMemoryState? state = null)
        {
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Services.AddSingleton(state ?? new Storage.InMemory.InMemoryState());
            builder.Services.AddSingleton<IMessageStore>(provider => new TroubledStore(new Storage.InMemory.InMemoryMessageStore(provider.GetRequiredService<Storage.InMemory.InMemoryState>())));
            builder.Services.AddSingleton<IGroupStore>(provider => new TroubledGroups(new Storage.InMemory.InMemoryGroupStore(provider.GetRequiredService<Storage.InMemory.InMemoryState>())));
            builder.Services.AddImServer().AddUserProvider<Everybody>();
            var host = builder.Build();
            await host.StartAsync().WaitAsync(Patience);
            return new Server(host);
        }

        public async ValueTask<IReadOnlyList<ImSendResult>> SendAsync(string sender, IEnumerable<string> texts, string? conversationId = null) =>
            await Im.Messages.SendAsync(
            [
                .. texts.Select(text => new OutgoingMessage
                {
                    SenderId = sender,
                    ConversationId = conversationId,
                    ToUserId = conversationId is null ? "cid" : null,
                    Content = MessageContent.FromText(text),
                }),
            ]).AsTask().WaitAsync(Patience);

        public async ValueTask DisposeAsync()
        {
            await host.StopAsync().WaitAsync(Patience);
            host.Dispose();
        }
    }

    private sealed class Everybody : IUserProvider
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
            ValueTask.FromResult(AuthenticationResult.Success(request.Token));

        public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Select(userId => new ImUser(userId))]);
    }

    /// <summary>The in-memory store of groups whose driver gives up now and then.</summary>
    private sealed class TroubledGroups(IGroupStore inner) : IGroupStore
    {
        public int Cancellations { get; set; }

        public ValueTask<IReadOnlyList<StoredGroup?>> GetGroupsAsync(IReadOnlyList<string> conversationIds, int maxMembers, CancellationToken cancellationToken) =>
            Cancellations-- > 0 ? throw new TaskCanceledException("The driver's timeout.") : inner.GetGroupsAsync(conversationIds, maxMembers, cancellationToken);

        public ValueTask<FoundMembers?> FindMembersAsync(string conversationId, IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            inner.FindMembersAsync(conversationId, userIds, cancellationToken);

        public ValueTask<MemberPage?> ReadMembersAsync(string conversationId, string? afterUserId, int limit, CancellationToken cancellationToken) =>
            inner.ReadMembersAsync(conversationId, afterUserId, limit, cancellationToken);
    }

    /// <summary>The in-memory store with the troubles of a shared one: other nodes' commits and failures. Fields are set while nothing is in flight.</summary>
    private sealed class TroubledStore(IMessageStore inner) : IMessageStore
    {
        public int StaleHeads { get; set; }

        public int Failures { get; set; }

        public bool RaiseVersion { get; set; }

        public bool OtherNodeIsFaster { get; set; }

        public int StaleVersions { get; private set; }

        public int Batches { get; private set; }

        public async ValueTask<AppendResult> AppendAsync(AppendBatch batch, CancellationToken cancellationToken)
        {
            // A real store answers later, so that the next batch gathers meanwhile.
            await Task.Yield();
            Batches++;
            if (Failures > 0)
            {
                Failures--;
                throw new ImStorageException("The test says so.");
            }

            if (StaleHeads > 0)
            {
                StaleHeads--;
                var wrong = batch.Timelines.Select(_ => 999L).ToArray();
                return await inner.AppendAsync(With(batch, wrong), cancellationToken);
            }

            if (OtherNodeIsFaster)
            {
                await inner.AppendAsync(AnotherNodesMessage(batch.Items[0]), cancellationToken);
            }

            if (RaiseVersion && batch.Items.FirstOrDefault(item => item.ConversationId == "g:g" && item.Change is null) is { } item)
            {
                RaiseVersion = false;
                await inner.AppendAsync(AnotherNodesChange(item), cancellationToken);
            }

            var result = await inner.AppendAsync(batch, cancellationToken);
            StaleVersions += result.Items.Count(one => one.Outcome == AppendOutcome.StaleVersion);
            return result;
        }

        public ValueTask<string> GetGenerationAsync(CancellationToken cancellationToken) => inner.GetGenerationAsync(cancellationToken);

        public ValueTask<long> GetLastBatchNumberAsync(string nodeName, CancellationToken cancellationToken) =>
            inner.GetLastBatchNumberAsync(nodeName, cancellationToken);

        public ValueTask<IReadOnlyList<SentMessage?>> FindSentAsync(IReadOnlyList<SentKey> keys, CancellationToken cancellationToken) =>
            inner.FindSentAsync(keys, cancellationToken);

        public ValueTask<IReadOnlyList<TimelineHead>> GetHeadsAsync(IReadOnlyList<TimelineKey> timelines, CancellationToken cancellationToken) =>
            inner.GetHeadsAsync(timelines, cancellationToken);

        public ValueTask<IReadOnlyList<InboxPage>> ReadInboxesAsync(IReadOnlyList<InboxRead> reads, CancellationToken cancellationToken) =>
            inner.ReadInboxesAsync(reads, cancellationToken);

        public ValueTask<IReadOnlyList<StoredEntry>> ReadEntriesAsync(IReadOnlyList<Run> runs, int maxBytes, CancellationToken cancellationToken) =>
            inner.ReadEntriesAsync(runs, maxBytes, cancellationToken);

        private static AppendBatch With(AppendBatch batch, long[] heads) => new()
        {
            NodeName = batch.NodeName,
            BatchNumber = batch.BatchNumber,
            Items = batch.Items,
            Timelines = batch.Timelines,
            ProposedHeads = heads,
        };

        private static AppendBatch AnotherNodesMessage(AppendItem seen) => new()
        {
            NodeName = "other",
            BatchNumber = 1,
            Items =
            [
                new AppendItem
                {
                    ConversationId = seen.ConversationId,
                    SenderId = "cid",
                    ClientMessageId = Guid.NewGuid().ToString("N"),
                    Hash = default,
                    TimeMs = 1,
                    ExpectedVersion = seen.ExpectedVersion,
                    Kind = seen.Kind,
                    Body = seen.Body,
                    Audience = seen.Audience,
                },
            ],
            Timelines = [TimelineKey.Conversation(seen.ConversationId), .. seen.Audience.UserIds.Select(TimelineKey.Inbox)],
            ProposedHeads = Enumerable.Repeat(ISequenceAllocator.Unknown, seen.Audience.UserIds.Length + 1).ToArray(),
        };

        private static AppendBatch AnotherNodesChange(AppendItem seen)
        {
            var audience = new Audience(["alice", "bob"]);
            return new AppendBatch
            {
                NodeName = "other",
                BatchNumber = 1,
                Items =
                [
                    new AppendItem
                    {
                        ConversationId = seen.ConversationId,
                        SenderId = "bob",
                        ClientMessageId = Guid.NewGuid().ToString("N"),
                        Hash = default,
                        TimeMs = 1,
                        ExpectedVersion = seen.ExpectedVersion,
                        Kind = EntryKind.GroupChanged,
                        Body = default(ReadOnlyMemory<byte>),
                        Audience = audience,
                        Change = new ConversationChange.SetGroupInfo(new GroupInfo(Guid.NewGuid().ToString())),
                    },
                ],
                Timelines = [TimelineKey.Conversation(seen.ConversationId), TimelineKey.Inbox("alice"), TimelineKey.Inbox("bob")],
                ProposedHeads = new long[] { ISequenceAllocator.Unknown, ISequenceAllocator.Unknown, ISequenceAllocator.Unknown },
            };
        }
    }
}
