using System.Data.Common;
using System.Globalization;
using System.Text;
using Im.Storage.Relational;

namespace Im.Storage.MySql.Internal;

/// <summary>Keeps rows and writes them with one statement for many.</summary>
/// <remarks>
/// Values stand in the text, bytes and text in hexadecimal, so that nothing needs escaping: thousands of parameters, which drivers look up by their
/// names, cost more than the rows. A statement is bounded in rows and in characters, far below the server's <c>max_allowed_packet</c>.
/// </remarks>
internal sealed class MySqlRowWriter : RowWriter
{
    private const int MaxRows = 256;
    private const int MaxUpdatedRows = 64;

    // Below the size at which the text would go to the large object heap.
    private const int MaxCharacters = 40_000;

    private readonly DbCommand _command;
    private readonly RowTarget _target;
    private readonly string _head;
    private readonly string _tail;
    private readonly bool _isUpdate;
    private readonly StringBuilder _sql = new(MaxCharacters);
    private readonly char[] _hex = new char[1024];
    private int _column;
    private int _rows;
    private long _changed;

    public MySqlRowWriter(DbCommand command, RowTarget target)
    {
        _command = command;
        _target = target;
        _isUpdate = target.Mode == RowMode.Update;
        (_head, _tail) = (RowSql.Head(target), RowSql.Tail(target));
    }

    public override void Add(long value)
    {
        BeginValue();
        _sql.Append(CultureInfo.InvariantCulture, $"{value}");
        EndValue();
    }

    public override void Add(ReadOnlySpan<byte> value)
    {
        BeginValue();
        AppendHex("0x", value);
        EndValue();
    }

    public override void AddNull()
    {
        BeginValue();
        _sql.Append("NULL");
        EndValue();
    }

    public override void AddText(string value)
    {
        BeginValue();
        AppendHex("_utf8mb4 0x", Encoding.UTF8.GetBytes(value));
        EndValue();
    }

    public override void EndRow()
    {
        _sql.Append(_isUpdate ? "" : ")");
        _column = 0;
        if (++_rows == (_isUpdate ? MaxUpdatedRows : MaxRows) || _sql.Length >= MaxCharacters)
        {
            Write();
        }
    }

    public override long Flush()
    {
        if (_rows > 0)
        {
            Write();
        }

        var changed = _changed;
        _changed = 0;
        return changed;
    }

    public override void Clear()
    {
        _sql.Clear();
        _column = 0;
        _rows = 0;
        _changed = 0;
    }

    public override void Dispose() => _command.Dispose();

    private void BeginValue()
    {
        if (_column > 0)
        {
            _sql.Append(',');
        }
        else if (_rows == 0)
        {
            _sql.Append(_head).Append(_isUpdate ? "SELECT " : "(");
        }
        else
        {
            _sql.Append(_isUpdate ? " UNION ALL SELECT " : ",(");
        }
    }

    private void EndValue()
    {
        // The first row of an update names the columns.
        if (_isUpdate && _rows == 0)
        {
            _sql.Append(" AS ").Append(_target.Columns[_column]);
        }

        _column++;
    }

    private void AppendHex(string prefix, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            _sql.Append("''");
            return;
        }

        _sql.Append(prefix);
        while (!value.IsEmpty)
        {
            var part = value[..Math.Min(value.Length, _hex.Length / 2)];
            Convert.TryToHexString(part, _hex, out var written);
            _sql.Append(_hex, 0, written);
            value = value[part.Length..];
        }
    }

    private void Write()
    {
        _command.CommandText = _sql.Append(_tail).ToString();
        _sql.Clear();
        _rows = 0;
        _changed += _command.ExecuteNonQuery();
    }
}
