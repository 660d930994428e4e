using System.Threading.Channels;
using Im.Cluster;
using Im.Diagnostics;
using Im.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Conversations;

/// <summary>Keeps the nodes' shared cache of large groups' members: fills it page by page and moves it with each change. One thing at a time.</summary>
/// <remarks>
/// What does not fit into the queue is left out: then the cache holds an older version or nothing, the store is asked, and the next look-up wants a fill
/// again. A fill ends where the group changes meanwhile, since its pages would be of two member lists.
/// </remarks>
internal sealed class GroupMemberFiller : IServerLoop
{
    private const int MaxQueued = 256;
    private const int PageSize = 1000;

    private readonly Channel<Job> _jobs = Channel.CreateBounded<Job>(
        new BoundedChannelOptions(MaxQueued) { SingleReader = true });

    private readonly IGroupStore _groups;
    private readonly IGroupMemberCache _cache;
    private readonly ILogger _logger;
    private readonly string _name;

    // The fill that was asked for last: the many look-ups of one busy group ask once.
    private volatile Job? _wanted;

    public GroupMemberFiller(IGroupStore groups, IGroupMemberCache cache, IOptions<ImServerOptions> options, ILogger<GroupMemberFiller> logger)
    {
        _groups = groups;
        _cache = cache;
        _logger = logger;
        _name = $"{options.Value.NodeName}/{Guid.NewGuid():N}";
    }

    /// <summary>The cache does not hold this version, which is in use.</summary>
    public void WantFill(string conversationId, long version)
    {
        if (_wanted is { } wanted && wanted.ConversationId == conversationId && wanted.Version == version)
        {
            return;
        }

        var job = new Job(conversationId, version, null, null, IsDissolved: false);
        _wanted = job;
        if (!_jobs.Writer.TryWrite(job))
        {
            _wanted = null;
        }
    }

    /// <summary>The version after this one differs from it by these users.</summary>
    public void Change(string conversationId, long fromVersion, IReadOnlyList<string> added, IReadOnlyList<string> removed, bool isDissolved) =>
        _jobs.Writer.TryWrite(new Job(conversationId, fromVersion, added, removed, isDissolved));

    public string Name => "large groups' members";

    /// <summary>Works until the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var job in _jobs.Reader.ReadAllAsync(cancellationToken))
            {
                await TryAsync(job, cancellationToken);
                if (_wanted == job)
                {
                    _wanted = null;
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown: half a fill is forgotten by the cache.
        }
    }

    private async Task TryAsync(Job job, CancellationToken cancellationToken)
    {
        try
        {
            await (job switch
            {
                { IsDissolved: true } => _cache.ForgetAsync(job.ConversationId, cancellationToken),
                { Added: not null } => _cache.ChangeAsync(job.ConversationId, job.Version, job.Added, job.Removed!, cancellationToken),
                _ => FillAsync(job.ConversationId, job.Version, cancellationToken),
            });
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.MemberCacheFailed(_logger, job.ConversationId, exception);
        }
    }

    private async ValueTask FillAsync(string conversationId, long version, CancellationToken cancellationToken)
    {
        if (!await _cache.BeginFillAsync(conversationId, version, _name, cancellationToken))
        {
            return;
        }

        var count = 0;
        string? after = null;
        while (await _groups.ReadMembersAsync(conversationId, after, PageSize, cancellationToken) is { } page && page.Version == version)
        {
            if (page.Members.Count > 0)
            {
                await _cache.AddAsync(conversationId, version, _name, [.. page.Members.Select(member => member.UserId)], cancellationToken);
                count += page.Members.Count;
            }

            if (page.Members.Count < PageSize)
            {
                if (await _cache.CompleteFillAsync(conversationId, version, _name, cancellationToken))
                {
                    Log.MembersCached(_logger, conversationId, version, count);
                }

                return;
            }

            after = page.Members[^1].UserId;
        }
    }

    private sealed record Job(
        string ConversationId, long Version, IReadOnlyList<string>? Added, IReadOnlyList<string>? Removed, bool IsDissolved);
}
