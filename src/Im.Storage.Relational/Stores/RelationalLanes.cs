namespace Im.Storage.Relational.Stores;

/// <summary>The lanes of one adapter: one that appends, those that write the rest, those that read. The same object may stand in two places.</summary>
internal sealed record RelationalLanes(SqlLanes Append, SqlLanes Write, SqlLanes Read);
