using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Im.Cluster;

namespace Im.Administration;

/// <summary>Asks nodes, with types. This node is among them, also while it is alone.</summary>
internal sealed class NodeQuestions(ClusterRequests requests, ClusterState state)
{
    public string ThisNode => state.Node.Name;

    /// <summary>The nodes that live, ordered by name.</summary>
    public IReadOnlyList<LiveNode> Nodes
    {
        get
        {
            var view = state.View;
            IEnumerable<LiveNode> nodes = view.Nodes.Values;
            if (!view.Nodes.ContainsKey(state.Node.Name))
            {
                // Alone for now: the directory is away.
                nodes = nodes.Append(new LiveNode(state.Node, view.Epoch, 0));
            }

            return [.. nodes.OrderBy(node => node.Name, StringComparer.Ordinal)];
        }
    }

    /// <summary>Whether such a node lives.</summary>
    public bool Knows(string nodeName) => nodeName == state.Node.Name || state.View.Nodes.ContainsKey(nodeName);

    /// <summary>Asks one node that lives.</summary>
    /// <exception cref="ImException">It did not answer.</exception>
    public async ValueTask<TAnswer> AskAsync<TQuestion, TAnswer>(
        string nodeName,
        string operation,
        TQuestion question,
        JsonTypeInfo<TQuestion> questionType,
        JsonTypeInfo<TAnswer> answerType,
        CancellationToken cancellationToken)
    {
        try
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(question, questionType);
            return JsonSerializer.Deserialize(await requests.AskAsync(nodeName, operation, body, cancellationToken), answerType)!;
        }
        catch (ImClusterException exception)
        {
            throw new ImException(ImErrorCode.ClusterUnavailable, exception.Message, exception);
        }
        catch (JsonException exception)
        {
            throw new ImException(
                ImErrorCode.ClusterUnavailable, $"The answer of node \"{nodeName}\" cannot be read; it runs another version. Ask it itself.", exception);
        }
    }

    /// <summary>Asks all nodes that live at once. A node that does not answer has none.</summary>
    public async ValueTask<IReadOnlyList<(LiveNode Node, TAnswer? Answer)>> AskAllAsync<TQuestion, TAnswer>(
        string operation,
        TQuestion question,
        JsonTypeInfo<TQuestion> questionType,
        JsonTypeInfo<TAnswer> answerType,
        CancellationToken cancellationToken)
        where TAnswer : class
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(question, questionType);
        var answers = await requests.AskAllAsync(operation, body, cancellationToken);
        return
        [
            .. answers
                .Select(one => (one.Node, Read(one.Answer, answerType)))
                .OrderBy(one => one.Node.Name, StringComparer.Ordinal),
        ];
    }

    // One of another version that cannot be read counts as silent.
    private static TAnswer? Read<TAnswer>(byte[]? answer, JsonTypeInfo<TAnswer> type)
        where TAnswer : class
    {
        try
        {
            return answer is null ? null : JsonSerializer.Deserialize(answer, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
