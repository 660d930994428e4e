using System.Text;
using System.Text.Json;
using Google.Protobuf.Reflection;

namespace Im.Protocol.Codecs;

/// <summary>The names and numbers of one enum. Immutable.</summary>
internal sealed class EnumSchema
{
    private readonly (int Number, byte[] Utf8, JsonEncodedText Encoded)[] _values;

    public EnumSchema(EnumDescriptor descriptor) =>
        _values = [.. descriptor.Values.Select(value => (value.Number, Encoding.UTF8.GetBytes(value.Name), JsonEncodedText.Encode(value.Name)))];

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

    /// <summary>The name of a number; a number may be newer than this build.</summary>
    public bool TryGetName(int number, out JsonEncodedText name)
    {
        foreach (var value in _values)
        {
            if (value.Number == number)
            {
                name = value.Encoded;
                return true;
            }
        }

        name = default;
        return false;
    }
}
