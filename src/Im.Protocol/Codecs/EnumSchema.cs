using System.Diagnostics.CodeAnalysis;
using System.Text;
using Google.Protobuf.Reflection;

namespace Im.Protocol.Codecs;

/// <summary>The names and numbers of one enum. Immutable.</summary>
internal sealed class EnumSchema
{
    private readonly (int Number, byte[] Utf8, byte[] Quoted)[] _values;

    public EnumSchema(EnumDescriptor descriptor) =>
        _values = [.. descriptor.Values.Select(
            value => (value.Number, Encoding.UTF8.GetBytes(value.Name), Encoding.UTF8.GetBytes($"\"{value.Name}\"")))];

    /// <summary>The number of a name; names are compared exactly.</summary>
    public bool TryGetNumber(ReadOnlySpan<byte> name, out int number)
    {
        foreach (var value in _values)
        {
            if (name.SequenceEqual(value.Utf8))
            {
                number = value.Number;
                return true;
            }
        }

        number = 0;
        return false;
    }

    /// <summary>The name of a number, with its quotes; a number may be newer than this build.</summary>
    public bool TryGetName(int number, [NotNullWhen(true)] out byte[]? quoted)
    {
        foreach (var value in _values)
        {
            if (value.Number == number)
            {
                quoted = value.Quoted;
                return true;
            }
        }

        quoted = null;
        return false;
    }
}
