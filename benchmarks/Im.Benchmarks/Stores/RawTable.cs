using System.Data.Common;
using System.Text;

namespace Im.Benchmarks.Stores;

/// <summary>Plain inserts into one table, some rows a statement.</summary>
internal sealed class RawTable(DbConnection connection, string table, string columns, int width, string tail, int rowsPerStatement)
{
    private readonly List<object> _values = new(width * rowsPerStatement);
    private DbCommand? _full;

    public void Add(DbTransaction transaction, params object[] row)
    {
        _values.AddRange(row);
        if (_values.Count == width * rowsPerStatement)
        {
            Execute(transaction, _full ??= Create(rowsPerStatement));
        }
    }

    public void Flush(DbTransaction transaction)
    {
        if (_values.Count > 0)
        {
            using var command = Create(_values.Count / width);
            Execute(transaction, command);
        }
    }

    private void Execute(DbTransaction transaction, DbCommand command)
    {
        command.Transaction = transaction;
        for (var i = 0; i < _values.Count; i++)
        {
            command.Parameters[i].Value = _values[i];
        }

        command.ExecuteNonQuery();
        _values.Clear();
    }

    private DbCommand Create(int rows)
    {
        var text = new StringBuilder($"INSERT INTO {table} ({columns}) VALUES ");
        var command = connection.CreateCommand();
        for (var row = 0; row < rows; row++)
        {
            text.Append(row == 0 ? "(" : ", (");
            for (var column = 0; column < width; column++)
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = $"@p{(row * width) + column}";
                parameter.Value = _values[(row * width) + column];
                command.Parameters.Add(parameter);
                text.Append(column == 0 ? "" : ", ").Append(parameter.ParameterName);
            }

            text.Append(')');
        }

        command.CommandText = text.Append(' ').Append(tail).ToString();
        if (rows == 1)
        {
            command.Prepare();
        }

        return command;
    }
}
