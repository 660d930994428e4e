using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Im.Cluster;

namespace Im.Administration;

/// <summary>A question that any node can be asked, with JSON both ways.</summary>
internal abstract class AdminOperation<TQuestion, TAnswer>(string name, JsonTypeInfo<TQuestion> question, JsonTypeInfo<TAnswer> answer) : IClusterOperation
{
    public string Name => name;

    public async ValueTask<byte[]> HandleAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken) =>
        JsonSerializer.SerializeToUtf8Bytes(await AnswerAsync(JsonSerializer.Deserialize(request.Span, question)!, cancellationToken), answer);

    /// <summary>Answers for this node.</summary>
    protected abstract ValueTask<TAnswer> AnswerAsync(TQuestion question, CancellationToken cancellationToken);
}
