namespace Im.Storage.Relational;

/// <summary>Rows that are looked up by whole keys.</summary>
/// <param name="Table">The table.</param>
/// <param name="Keys">The key's columns; all of them bytes.</param>
/// <param name="Columns">What is read.</param>
/// <param name="Lock">Whether the rows are locked for the transaction, in the order in which the keys are added, where the database locks rows.</param>
internal sealed record KeySource(string Table, string[] Keys, string[] Columns, bool Lock = false);
