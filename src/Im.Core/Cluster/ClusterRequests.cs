using System.Collections.Concurrent;
using System.Threading.Channels;
using Google.Protobuf;
using Im.Cluster.Wire;
using Im.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Im.Cluster;

/// <summary>Questions to other nodes, and their answers, over the backplane: at most once, within a time limit.</summary>
/// <remarks>Thread-safe. What others ask is answered by one worker after the other, from a bounded queue; what is one too many gets no answer.</remarks>
internal sealed class ClusterRequests(
    IServiceProvider services,
    ClusterSender sender,
    ClusterState state,
    TimeProvider time,
    IOptions<ImClusterOptions> options,
    ILogger<ClusterRequests> logger)
{
    private const int MaxQueued = 256;
    private const int Workers = 2;

    private readonly Channel<(string Node, Request Request)> _asked = Channel.CreateBounded<(string, Request)>(
        new BoundedChannelOptions(MaxQueued) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly ConcurrentDictionary<long, TaskCompletionSource<byte[]>> _waiting = new();
    private Dictionary<string, IClusterOperation>? _operations;

    // Not from 1: an answer to what a former process of this name has asked is none to this one's questions.
    private long _lastId = Random.Shared.NextInt64(long.MaxValue / 2);

    /// <summary>Asks one node, or this one.</summary>
    /// <exception cref="ImClusterException">No answer in time, or the other side failed; the message says which.</exception>
    public async ValueTask<byte[]> AskAsync(string nodeName, string operation, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        if (nodeName == state.Node.Name)
        {
            return await Find(operation).HandleAsync(body, cancellationToken);
        }

        var id = Interlocked.Increment(ref _lastId);
        var answer = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        try
        {
            var request = new Request { Id = id, Operation = operation, Body = ByteString.CopyFrom(body.Span) };
            if (!sender.TrySendAlone(new NodeMessage { Request = request }, nodeName))
            {
                throw new ImClusterException($"The node \"{nodeName}\" could not be asked: too much waits to be sent. Try again later.");
            }

            return await answer.Task.WaitAsync(options.Value.RequestTimeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new ImClusterException($"The node \"{nodeName}\" did not answer \"{operation}\" within {options.Value.RequestTimeout.TotalSeconds:0.###} seconds.");
        }
        finally
        {
            _waiting.TryRemove(id, out _);
        }
    }

    /// <summary>Asks all nodes that live, this one included, at once. A node that does not answer is null.</summary>
    public async ValueTask<IReadOnlyList<(LiveNode Node, byte[]? Answer)>> AskAllAsync(
        string operation, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        LiveNode[] nodes = [.. state.View.Nodes.Values.OrderBy(node => node.Name, StringComparer.Ordinal)];
        if (!state.View.Nodes.ContainsKey(state.Node.Name))
        {
            // Alone for now: the directory is away.
            nodes = [.. nodes, new LiveNode(state.Node, state.View.Epoch, 0)];
        }

        return await Task.WhenAll(nodes.Select(async node =>
        {
            try
            {
                return (node, (byte[]?)await AskAsync(node.Name, operation, body, cancellationToken));
            }
            catch (ImClusterException exception)
            {
                Log.NodeDidNotAnswer(logger, node.Name, operation, exception);
                return (node, null);
            }
        }));
    }

    /// <summary>Another node asks.</summary>
    public void Asked(string node, Request request) => _asked.Writer.TryWrite((node, request));

    /// <summary>Another node answers.</summary>
    public void Answered(Response response)
    {
        if (!_waiting.TryRemove(response.Id, out var waiting))
        {
            return;
        }

        if (response.Error.Length > 0)
        {
            waiting.TrySetException(new ImClusterException(response.Error));
        }
        else
        {
            waiting.TrySetResult(response.Body.ToByteArray());
        }
    }

    /// <summary>Answers until the token is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => WorkAsync(cancellationToken)));

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var (node, request) in _asked.Reader.ReadAllAsync(cancellationToken))
            {
                var response = new Response { Id = request.Id };
                try
                {
                    response.Body = ByteString.CopyFrom(await Find(request.Operation).HandleAsync(request.Body.Memory, cancellationToken));
                }
                catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
                {
                    Log.OperationFailed(logger, request.Operation, node, exception);
                    response.Error = $"{state.Node.Name}: {exception.Message}";
                }

                sender.TrySendAlone(new NodeMessage { Response = response }, node);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Shutdown.
        }
    }

    // Resolved late: operations need what needs this.
    private IClusterOperation Find(string operation)
    {
        _operations ??= services.GetServices<IClusterOperation>().ToDictionary(one => one.Name, StringComparer.Ordinal);
        return _operations.GetValueOrDefault(operation)
            ?? throw new ImClusterException($"This node does not know the operation \"{operation}\"; it may run an older version.");
    }
}
