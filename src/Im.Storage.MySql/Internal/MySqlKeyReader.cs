using System.Data.Common;
using Im.Storage.Relational;

namespace Im.Storage.MySql.Internal;

/// <summary>Looks rows up by key in slices of one statement each. The keys are sorted and asked for once each, so locks are taken in key order.</summary>
internal sealed class MySqlKeyReader : KeyReader
{
    private const int MaxKeys = 256;
    private const int CachedSmall = 64;

    private readonly DbCommand _command;
    private readonly ParameterSet _parameters;
    private readonly KeySource _source;
    private readonly int _width;
    private readonly string?[] _texts = new string?[MaxKeys + 1];
    private readonly RowBuffer _rows = new();

    // All keys' values one after the other; _ends[i] is where the i-th value ends. Key k has the values k·width … k·width + width − 1.
    private byte[] _bytes = new byte[1024];
    private int[] _ends = new int[64];
    private int _values;

    // The keys in order, and where the next slice and the next row's search begin.
    private int[] _order = [];
    private int _sliceEnd;
    private int _next;
    private bool _isReading;
    private bool _hasRow;

    public MySqlKeyReader(DbCommand command, KeySource source)
    {
        _command = command;
        _parameters = new ParameterSet(command);
        _source = source;
        _width = source.Keys.Length;
    }

    private int Keys => _values / _width;

    public override void Add(ReadOnlySpan<byte> value)
    {
        var start = _values == 0 ? 0 : _ends[_values - 1];
        if (_bytes.Length < start + value.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, start + value.Length));
        }

        if (_ends.Length == _values)
        {
            Array.Resize(ref _ends, _ends.Length * 2);
        }

        value.CopyTo(_bytes.AsSpan(start));
        _ends[_values++] = start + value.Length;
    }

    public override bool Read(out int key)
    {
        if (!_isReading)
        {
            Sort();
            _isReading = true;
        }

        while (true)
        {
            // The same row again for a key that was asked for again.
            if (_hasRow && _next < Keys && IsOfRow(_order[_next]) == 0)
            {
                key = _order[_next++];
                return true;
            }

            if (_rows.Next())
            {
                _hasRow = true;
                while (_next < Keys && IsOfRow(_order[_next]) < 0)
                {
                    _next++;
                }
            }
            else
            {
                // What the slices before passed over has no row; a key that was asked for again may have been answered already.
                _hasRow = false;
                _next = _sliceEnd = Math.Max(_next, _sliceEnd);
                if (_next == Keys)
                {
                    key = -1;
                    Clear();
                    return false;
                }

                ReadSlice();
            }
        }
    }

    public override long GetInt64(int column) => _rows.GetInt64(_width + column);

    public override ReadOnlySpan<byte> GetBytes(int column) => _rows.GetBytes(_width + column);

    public override bool IsNull(int column) => _rows.IsNull(_width + column);

    public override string GetText(int column) => _rows.GetText(_width + column);

    public override void Clear()
    {
        _parameters.Clear();
        _rows.Clear();
        _values = 0;
        _sliceEnd = 0;
        _next = 0;
        _isReading = false;
        _hasRow = false;
    }

    public override void Dispose() => _command.Dispose();

    private ReadOnlySpan<byte> Value(int index)
    {
        var start = index == 0 ? 0 : _ends[index - 1];
        return _bytes.AsSpan(start, _ends[index] - start);
    }

    private int Compare(int left, int right)
    {
        for (var i = 0; i < _width; i++)
        {
            var order = Value((left * _width) + i).SequenceCompareTo(Value((right * _width) + i));
            if (order != 0)
            {
                return order;
            }
        }

        return 0;
    }

    // How a key stands to the row that was read: before it, at it, after it.
    private int IsOfRow(int key)
    {
        for (var i = 0; i < _width; i++)
        {
            var order = Value((key * _width) + i).SequenceCompareTo(_rows.GetBytes(i));
            if (order != 0)
            {
                return order;
            }
        }

        return 0;
    }

    private void Sort()
    {
        if (_order.Length < Keys)
        {
            _order = new int[Math.Max(Keys, _order.Length * 2)];
        }

        var isSorted = true;
        for (var i = 0; i < Keys; i++)
        {
            _order[i] = i;
            isSorted &= i == 0 || Compare(i - 1, i) <= 0;
        }

        if (!isSorted)
        {
            _order.AsSpan(0, Keys).Sort(Compare);
        }
    }

    private void ReadSlice()
    {
        var asked = 0;
        for (; _sliceEnd < Keys && asked < MaxKeys; _sliceEnd++)
        {
            if (_sliceEnd > _next && Compare(_order[_sliceEnd - 1], _order[_sliceEnd]) == 0)
            {
                continue;
            }

            asked++;
            for (var i = 0; i < _width; i++)
            {
                _parameters.Add(Value((_order[_sliceEnd] * _width) + i).ToArray());
            }
        }

        _command.CommandText = TextFor(asked);
        using (var reader = _command.ExecuteReader())
        {
            _rows.Fill(reader);
        }

        _parameters.Clear();
    }

    private string TextFor(int keys) => keys <= CachedSmall || keys == MaxKeys
        ? _texts[keys] ??= RowSql.Find(_source, keys)
        : RowSql.Find(_source, keys);
}
