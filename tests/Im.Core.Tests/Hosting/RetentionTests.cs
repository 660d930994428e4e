using Im.Model;
using Im.Retention;
using Im.Storage;
using Im.Storage.InMemory;
using Im.Timelines;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Im.Core.Tests.Hosting;

/// <summary>The loop that forgets what is past keeping.</summary>
public sealed class RetentionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void EachDefaultIsWhatTheDocumentationSays()
    {
        var options = new ImRetentionOptions();
        Assert.Null(options.KeepMessagesFor);
        Assert.Null(options.KeepMessagesPerConversation);
        Assert.Null(options.KeepInboxesFor);
        Assert.Null(options.KeepEntriesPerInbox);
        Assert.Equal(TimeSpan.FromDays(7), options.KeepSentIdsFor);
        Assert.Equal(TimeSpan.FromDays(7), options.KeepCommitsFor);
        Assert.Equal(TimeSpan.FromHours(1), options.MergeChunksAfter);
        Assert.Equal(TimeSpan.FromHours(1), options.Interval);
        Assert.Equal(500, options.MaxRowsPerBite);
        Assert.Equal(TimeSpan.FromMilliseconds(50), options.PauseBetweenBites);
    }

    [Fact]
    public async Task AWrongOptionStopsTheHost()
    {
        using var host = Build(options => options.KeepMessagesPerConversation = options.MaxRowsPerBite = 0);
        var exception = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());
        Assert.Equal(2, exception.Failures.Count());
    }

    [Fact]
    public void InboxesAreNotKeptLongerThanMessages()
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(1_000_000);
        var limits = RetentionLimitsFactory.Create(new ImRetentionOptions { KeepMessagesFor = TimeSpan.FromSeconds(10) }, now);
        Assert.Equal((990_000L, 990_000L), (limits.EntriesBeforeMs, limits.InboxesBeforeMs));
        limits = RetentionLimitsFactory.Create(
            new ImRetentionOptions { KeepMessagesFor = TimeSpan.FromSeconds(10), KeepInboxesFor = TimeSpan.FromSeconds(5) }, now);
        Assert.Equal((990_000L, 995_000L), (limits.EntriesBeforeMs, limits.InboxesBeforeMs));
        limits = RetentionLimitsFactory.Create(new ImRetentionOptions { KeepInboxesFor = TimeSpan.FromSeconds(5), KeepSentIdsFor = null }, now);
        Assert.Equal(((long?)null, 995_000L, (long?)null), (limits.EntriesBeforeMs, limits.InboxesBeforeMs, limits.SentBeforeMs));
    }

    // A pass that fails is tried again; nothing else stops for it.
    [Fact]
    public async Task TheLoopDeletesInSmallBitesAndSurvivesFailures()
    {
        using var host = Build(options =>
        {
            options.KeepMessagesPerConversation = 3;
            options.Interval = TimeSpan.FromMilliseconds(100);
            options.MaxRowsPerBite = 2;
            options.PauseBetweenBites = TimeSpan.FromMilliseconds(1);
        });
        await host.StartAsync().WaitAsync(Patience);
        var im = host.Services.GetRequiredService<IImServer>();
        for (var i = 0; i < 20; i++)
        {
            var message = new OutgoingMessage { SenderId = "ann", ToUserId = "bob", Content = MessageContent.FromText($"{i}") };
            (await im.Messages.SendAsync(message).AsTask().WaitAsync(Patience)).EnsureAccepted();
        }

        var store = (TroubledRetention)host.Services.GetRequiredService<IRetentionStore>();
        var timeline = TimelineKey.Conversation(ConversationId.Direct("ann", "bob"));
        var deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while ((await host.Services.GetRequiredService<IMessageStore>().GetHeadsAsync([timeline], default))[0].Floor < 18)
        {
            Assert.True(Environment.TickCount64 < deadline, "The floor did not rise.");
            await Task.Delay(5);
        }

        Assert.True(store.Failed);
        Assert.InRange(store.LargestBite, 1, 2);
        await host.StopAsync().WaitAsync(Patience);
    }

    private static IHost Build(Action<ImRetentionOptions> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<IRetentionStore>(
            services => new TroubledRetention(new InMemoryRetentionStore(services.GetRequiredService<InMemoryState>())));
        builder.Services.AddImServer().AddUserProvider<Everybody>().UseRetention(configure);
        return builder.Build();
    }

    private sealed class Everybody : IUserProvider
    {
        public ValueTask<AuthenticationResult> AuthenticateAsync(AuthenticationRequest request, CancellationToken cancellationToken) =>
            ValueTask.FromResult(AuthenticationResult.Success(request.Token));

        public ValueTask<IReadOnlyList<ImUser>> GetUsersAsync(IReadOnlyList<string> userIds, CancellationToken cancellationToken) =>
            ValueTask.FromResult<IReadOnlyList<ImUser>>([.. userIds.Select(userId => new ImUser(userId))]);
    }

    /// <summary>Fails once.</summary>
    private sealed class TroubledRetention(IRetentionStore inner) : IRetentionStore
    {
        public bool Failed { get; private set; }

        public int LargestBite { get; private set; }

        public async ValueTask<RetentionBite> ExpireConversationsAsync(string? after, RetentionLimits limits, int maxRows, CancellationToken cancellationToken)
        {
            if (!Failed)
            {
                Failed = true;
                throw new ImStorageException("The test says so.");
            }

            var bite = await inner.ExpireConversationsAsync(after, limits, maxRows, cancellationToken);
            LargestBite = Math.Max(LargestBite, bite.DeletedEntries);
            return bite;
        }

        public ValueTask<RetentionBite> ExpireInboxesAsync(string? after, RetentionLimits limits, int maxRows, CancellationToken cancellationToken) =>
            inner.ExpireInboxesAsync(after, limits, maxRows, cancellationToken);

        public ValueTask<RetentionBite> ExpireLogsAsync(RetentionLimits limits, int maxRows, CancellationToken cancellationToken) =>
            inner.ExpireLogsAsync(limits, maxRows, cancellationToken);
    }
}
