namespace Im.Protocol.Codecs;

/// <summary>The field types that the packets use.</summary>
internal enum FieldKind
{
    /// <summary>A type that the codecs do not know: treated like an unknown field. A test keeps it out of <c>im.proto</c>.</summary>
    Unsupported,
    Int32,
    UInt32,
    Int64,
    Bool,
    Enum,
    String,
    Bytes,
    Message,
}
