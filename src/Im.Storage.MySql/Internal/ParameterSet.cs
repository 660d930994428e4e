using System.Data.Common;
using System.Globalization;

namespace Im.Storage.MySql.Internal;

/// <summary>The parameters @p1, @p2 … of a command, made once and given other values for each run.</summary>
internal sealed class ParameterSet(DbCommand command)
{
    private readonly List<DbParameter> _parameters = [];

    /// <summary>How many have a value.</summary>
    public int Count { get; private set; }

    public void Add(object value)
    {
        if (Count == _parameters.Count)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = Name(Count + 1);
            _parameters.Add(parameter);
            command.Parameters.Add(parameter);
        }

        _parameters[Count++].Value = value;
    }

    public void AddNull() => Add(DBNull.Value);

    /// <summary>Forgets the values.</summary>
    public void Clear()
    {
        for (var i = 0; i < Count; i++)
        {
            _parameters[i].Value = DBNull.Value;
        }

        Count = 0;
    }

    /// <summary>The name of a parameter, counted from 1.</summary>
    public static string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"@p{number}");
}
