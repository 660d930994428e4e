using System.Text;

namespace Im.Storage.Relational;

/// <summary>Encodes one id at a time without allocating.</summary>
internal sealed class Utf8Buffer
{
    private byte[] _bytes = new byte[256];

    /// <summary>The id's bytes, valid until the next call.</summary>
    public ReadOnlySpan<byte> Encode(string id)
    {
        var max = Encoding.UTF8.GetMaxByteCount(id.Length);
        if (_bytes.Length < max)
        {
            _bytes = new byte[max];
        }

        return _bytes.AsSpan(0, Encoding.UTF8.GetBytes(id, _bytes));
    }
}
