using System.Runtime.CompilerServices;
using Im.Cluster;
using Im.Cluster.Wire;
using Im.Conversations;
using Im.Messaging;
using Im.Model;
using Im.Presence;
using Im.Storage;
using Im.Sync;
using Im.Timelines;
using Im.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Im.Data;

/// <summary>Exports and erases users, page by page; imports go through <see cref="HistoryImport"/>.</summary>
internal sealed class ImData(
    IServiceProvider services,
    IMessageStore messages,
    IDeviceStore devices,
    IImConversations conversations,
    IImSessions sessions,
    UserDirectory users,
    PageReader pages,
    ClusterSender cluster,
    HistoryImport history,
    TimeProvider time,
    IOptions<ImServerOptions> options,
    IOptions<ImRetentionOptions> retention) : IImData
{
    private const int StaysPerPage = 100;

    private readonly ImServerOptions _options = options.Value;
    private readonly ImRetentionOptions _retention = retention.Value;

    public async IAsyncEnumerable<ImExportItem> ExportUserAsync(
        string userId, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        foreach (var device in await devices.ListAsync(userId, cancellationToken))
        {
            yield return new ImExportItem.Device(device);
        }

        await foreach (var conversation in ListStaysAsync(userId, cancellationToken))
        {
            var current = ConversationId.IsOwn(conversation.ConversationId)
                ? null
                : await conversations.GetAsync(userId, conversation.ConversationId, cancellationToken);
            yield return new ImExportItem.Conversation(conversation.ConversationId, conversation.Stays, current);
            foreach (var stay in conversation.Stays)
            {
                var last = Math.Min(stay.Last?.Value ?? long.MaxValue, conversation.Head.Head);
                for (var first = Math.Max(stay.First.Value, conversation.Head.Floor); first <= last;)
                {
                    var run = new Run(conversation.ConversationId, new ConversationSeq(first), (int)Math.Min(last - first + 1, _options.MaxPageEntries));
                    foreach (var entry in await messages.ReadEntriesAsync([run], _options.MaxPageBytes, cancellationToken))
                    {
                        first = entry.Seq.Value + 1;
                        if (entry.Kind != EntryKind.Unknown)
                        {
                            yield return new ImExportItem.Entry(ImConversations.ToModel(entry));
                        }
                    }
                }
            }
        }
    }

    public async ValueTask<long> EraseUserAsync(string userId, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(userId);
        var store = GetStore();
        users.Forget(userId);
        await sessions.DisconnectAsync(userId, reason: "This user was erased.", cancellationToken: cancellationToken);
        var erased = 0L;
        var touched = new List<string>();
        try
        {
            await foreach (var conversation in ListStaysAsync(userId, cancellationToken))
            {
                touched.Add(conversation.ConversationId);
                erased += await EraseAsync(store, conversation, userId, cancellationToken);
            }
        }
        finally
        {
            // After the store: what is read from now on is gone. Also where the rest failed.
            pages.Forget(touched);
            cluster.Tell(new NodeMessage { ErasedConversations = { touched } });
        }

        await store.ForgetDevicesAsync(userId, cancellationToken);
        return erased;
    }

    public ValueTask<IReadOnlyList<ImSendResult>> ImportAsync(
        string conversationId, IReadOnlyList<ImportedMessage> messages, CancellationToken cancellationToken = default) =>
        history.ImportAsync(conversationId, messages, cancellationToken);

    // Not only within the stays: imported messages of a former member stand behind them.
    private async ValueTask<long> EraseAsync(IUserDataStore store, UserStays conversation, string userId, CancellationToken cancellationToken)
    {
        var erased = 0L;
        var head = conversation.Head.Head;
        for (var first = conversation.Head.Floor; first <= head; first += _retention.MaxRowsPerBite)
        {
            var last = Math.Min(first + _retention.MaxRowsPerBite - 1, head);
            erased += await store.EraseBodiesAsync(
                conversation.ConversationId, new ConversationSeq(first), new ConversationSeq(last), userId, cancellationToken);
            if (last < head)
            {
                await Task.Delay(_retention.PauseBetweenBites, time, cancellationToken);
            }
        }

        return erased;
    }

    private async IAsyncEnumerable<UserStays> ListStaysAsync(string userId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var store = GetStore();
        string? after = null;
        while (true)
        {
            var page = await store.ListStaysAsync(userId, after, StaysPerPage, cancellationToken);
            foreach (var stays in page)
            {
                yield return stays;
            }

            if (page.Count < StaysPerPage)
            {
                yield break;
            }

            after = page[^1].ConversationId;
        }
    }

    private IUserDataStore GetStore() => services.GetService<IUserDataStore>() ?? throw new InvalidOperationException(
        "The storage cannot export or erase users: it has no IUserDataStore. Use a storage package that has one, or register yours: "
        + "builder.Services.AddSingleton<IUserDataStore, MyUserDataStore>();");
}
