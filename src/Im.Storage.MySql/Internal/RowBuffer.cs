using System.Data.Common;
using System.Text;

namespace Im.Storage.MySql.Internal;

/// <summary>The rows of one result, read to its end: a connection does nothing else while a result is open.</summary>
/// <remarks>Reused for the next result. Integers are not boxed; what is bytes or text is what the driver made of it.</remarks>
internal sealed class RowBuffer
{
    private Cell[] _cells = new Cell[64];
    private bool[] _isNumber = [];
    private int _columns;
    private int _rows;
    private int _current = -1;

    private enum Content : byte
    {
        Null,
        Number,
        Bytes,
        Text,
    }

    /// <summary>Takes all rows of the reader; <see cref="Next"/> stands on the first one after its first call.</summary>
    public void Fill(DbDataReader reader)
    {
        Clear();
        _columns = reader.FieldCount;
        if (_isNumber.Length < _columns)
        {
            _isNumber = new bool[_columns];
        }

        for (var column = 0; column < _columns; column++)
        {
            var type = reader.GetFieldType(column);
            _isNumber[column] = type != typeof(byte[]) && type != typeof(string);
        }

        while (reader.Read())
        {
            var start = _rows * _columns;
            if (_cells.Length < start + _columns)
            {
                Array.Resize(ref _cells, Math.Max(_cells.Length * 2, start + _columns));
            }

            for (var column = 0; column < _columns; column++)
            {
                _cells[start + column] = ReadCell(reader, column);
            }

            _rows++;
        }
    }

    /// <summary>Goes to the next row; false at the end.</summary>
    public bool Next() => ++_current < _rows;

    public long GetInt64(int column) => this[column] is { Content: Content.Number } cell
        ? cell.Number
        : throw new InvalidOperationException($"Column {column} is no integer.");

    public ReadOnlySpan<byte> GetBytes(int column)
    {
        ref var cell = ref this[column];
        return cell.Content switch
        {
            Content.Bytes => (byte[])cell.Object!,
            Content.Text => Encoding.UTF8.GetBytes((string)cell.Object!),
            _ => [],
        };
    }

    public string GetText(int column)
    {
        ref var cell = ref this[column];
        return cell.Content switch
        {
            Content.Bytes => Encoding.UTF8.GetString((byte[])cell.Object!),
            Content.Text => (string)cell.Object!,
            _ => "",
        };
    }

    public bool IsNull(int column) => this[column].Content == Content.Null;

    /// <summary>Lets go of all rows.</summary>
    public void Clear()
    {
        Array.Clear(_cells, 0, _rows * _columns);
        _rows = 0;
        _current = -1;
    }

    private ref Cell this[int column] => ref _cells[(_current * _columns) + column];

    private Cell ReadCell(DbDataReader reader, int column)
    {
        if (reader.IsDBNull(column))
        {
            return default;
        }

        if (_isNumber[column])
        {
            return new Cell { Content = Content.Number, Number = reader.GetInt64(column) };
        }

        var value = reader.GetValue(column);
        return new Cell { Content = value is string ? Content.Text : Content.Bytes, Object = value };
    }

    private struct Cell
    {
        public Content Content;
        public long Number;
        public object? Object;
    }
}
