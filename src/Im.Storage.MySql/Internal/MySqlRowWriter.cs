using System.Data.Common;
using Im.Storage.Relational;

namespace Im.Storage.MySql.Internal;

/// <summary>Keeps rows and writes them with one statement for many.</summary>
/// <remarks>A statement is bounded in rows and in bytes, far below the server's <c>max_allowed_packet</c>.</remarks>
internal sealed class MySqlRowWriter : RowWriter
{
    private const int MaxRows = 256;
    private const int MaxUpdatedRows = 64;
    private const int MaxBytes = 512 * 1024;
    private const int CachedSmall = 64;

    private readonly DbCommand _command;
    private readonly ParameterSet _parameters;
    private readonly RowTarget _target;
    private readonly int _maxRows;
    private readonly string?[] _texts;
    private int _rows;
    private int _bytes;
    private long _changed;

    public MySqlRowWriter(DbCommand command, RowTarget target)
    {
        _command = command;
        _parameters = new ParameterSet(command);
        _target = target;
        _maxRows = target.Mode == RowMode.Update ? MaxUpdatedRows : MaxRows;
        _texts = new string?[_maxRows + 1];
    }

    public override void Add(long value) => _parameters.Add(value);

    public override void Add(ReadOnlySpan<byte> value)
    {
        _parameters.Add(value.ToArray());
        _bytes += value.Length;
    }

    public override void AddNull() => _parameters.AddNull();

    public override void AddText(string value)
    {
        _parameters.Add(value);
        _bytes += value.Length * 3;
    }

    public override void EndRow()
    {
        if (++_rows == _maxRows || _bytes >= MaxBytes)
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
        _parameters.Clear();
        _rows = 0;
        _bytes = 0;
        _changed = 0;
    }

    public override void Dispose() => _command.Dispose();

    private void Write()
    {
        _command.CommandText = TextFor(_rows);
        _changed += _command.ExecuteNonQuery();
        _parameters.Clear();
        _rows = 0;
        _bytes = 0;
    }

    // The counts that come again and again are kept; making another one costs little beside its rows.
    private string TextFor(int rows) => rows <= CachedSmall || rows == _maxRows
        ? _texts[rows] ??= RowSql.Write(_target, rows)
        : RowSql.Write(_target, rows);
}
