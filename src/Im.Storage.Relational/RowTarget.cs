namespace Im.Storage.Relational;

/// <summary>What a <see cref="RowWriter"/> does with a row.</summary>
internal enum RowMode
{
    /// <summary>A plain insert; a row that exists is an error.</summary>
    Insert,

    /// <summary>Inserts what does not exist; <see cref="RowWriter.Flush"/> tells how many it were.</summary>
    InsertIfAbsent,

    /// <summary>Inserts, or replaces the columns in <see cref="RowTarget.Changed"/>.</summary>
    Upsert,

    /// <summary>Inserts, or raises the columns in <see cref="RowTarget.Changed"/> to the new value where that is higher.</summary>
    Raise,

    /// <summary>Changes the columns in <see cref="RowTarget.Changed"/> of rows that exist.</summary>
    Update,
}

/// <summary>Where rows go: a table and its columns, in the order in which the values are added.</summary>
/// <param name="Table">The table.</param>
/// <param name="Mode">What is done with a row.</param>
/// <param name="Columns">The columns; for <see cref="RowMode.Update"/> the keys first, then what changes.</param>
/// <param name="Keys">So many of the first columns are the row's key.</param>
/// <param name="Changed">What an upsert replaces, nothing where the row is only made to exist; for an update all that are no keys.</param>
/// <param name="Only">For an update: a further condition on the row, SQL.</param>
internal sealed record RowTarget(
    string Table, RowMode Mode, string[] Columns, int Keys, string[] Changed, string? Only = null);
