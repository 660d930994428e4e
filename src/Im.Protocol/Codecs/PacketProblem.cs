namespace Im.Protocol.Codecs;

/// <summary>Why bytes are no packet; made only when something is wrong, and told where while the calls return.</summary>
internal sealed class PacketProblem(string text)
{
    public const string NotUtf8 = "is not valid UTF-8";

    private string _path = "";

    /// <summary>Puts the name of the field around it in front.</summary>
    public PacketProblem In(FieldSchema field)
    {
        _path = _path.Length == 0 ? field.JsonName : $"{field.JsonName}.{_path}";
        return this;
    }

    /// <summary>For people, for example <c>send.content.text: is not valid UTF-8</c>.</summary>
    public override string ToString() => _path.Length == 0 ? text : $"{_path}: {text}";
}
