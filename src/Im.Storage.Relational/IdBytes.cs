using System.Text;
using Im.Timelines;

namespace Im.Storage.Relational;

/// <summary>The ids of a batch's timelines as UTF-8, encoded once.</summary>
internal sealed class IdBytes
{
    private byte[] _bytes = new byte[4096];
    private int[] _ends = new int[128];

    public ReadOnlySpan<byte> this[int timeline]
    {
        get
        {
            var start = timeline == 0 ? 0 : _ends[timeline - 1];
            return _bytes.AsSpan(start, _ends[timeline] - start);
        }
    }

    public void Fill(IReadOnlyList<TimelineKey> timelines)
    {
        if (_ends.Length < timelines.Count)
        {
            _ends = new int[timelines.Count * 2];
        }

        var at = 0;
        for (var i = 0; i < timelines.Count; i++)
        {
            var id = timelines[i].Id;
            var max = Encoding.UTF8.GetMaxByteCount(id.Length);
            if (_bytes.Length - at < max)
            {
                Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, at + max));
            }

            at += Encoding.UTF8.GetBytes(id, _bytes.AsSpan(at));
            _ends[i] = at;
        }
    }
}
