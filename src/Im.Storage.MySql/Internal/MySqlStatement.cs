using System.Data.Common;
using Im.Storage.Relational;

namespace Im.Storage.MySql.Internal;

/// <summary>One text with parameters, over any ADO.NET driver.</summary>
internal sealed class MySqlStatement : SqlStatement
{
    private readonly DbCommand _command;
    private readonly ParameterSet _parameters;
    private readonly RowBuffer _rows = new();
    private bool _isReading;

    public MySqlStatement(DbCommand command)
    {
        _command = command;
        _parameters = new ParameterSet(command);
    }

    public override SqlStatement Add(long value)
    {
        _parameters.Add(value);
        return this;
    }

    public override SqlStatement Add(ReadOnlySpan<byte> value)
    {
        _parameters.Add(value.ToArray());
        return this;
    }

    public override SqlStatement AddNull()
    {
        _parameters.AddNull();
        return this;
    }

    public override SqlStatement AddText(string value)
    {
        _parameters.Add(value);
        return this;
    }

    public override int Execute()
    {
        var changed = _command.ExecuteNonQuery();
        Clear();
        return changed;
    }

    public override bool Read()
    {
        if (!_isReading)
        {
            using var reader = _command.ExecuteReader();
            _rows.Fill(reader);
            _isReading = true;
        }

        if (_rows.Next())
        {
            return true;
        }

        Clear();
        return false;
    }

    public override long GetInt64(int column) => _rows.GetInt64(column);

    public override ReadOnlySpan<byte> GetBytes(int column) => _rows.GetBytes(column);

    public override bool IsNull(int column) => _rows.IsNull(column);

    public override string GetText(int column) => _rows.GetText(column);

    public override void Clear()
    {
        _parameters.Clear();
        _rows.Clear();
        _isReading = false;
    }

    public override void Dispose() => _command.Dispose();
}
