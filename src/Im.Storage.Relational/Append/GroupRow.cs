using Im.Fanout;
using Im.Model;

namespace Im.Storage.Relational.Append;

/// <summary>A row of im_groups while a batch changes it.</summary>
internal sealed class GroupRow
{
    public const string Columns = "name, avatar, extra, fanout, fanout_pinned, is_dissolved, member_count";

    public required GroupInfo Info { get; set; }

    public required string Fanout { get; set; }

    public required bool FanoutPinned { get; set; }

    public bool IsDissolved { get; set; }

    public long MemberCount { get; set; }

    public bool IsRead => string.Equals(Fanout, FanoutNames.Read, StringComparison.Ordinal);

    /// <summary>Reads <see cref="Columns"/> from the given column on.</summary>
    public static GroupRow Read(SqlRow row, int column) => new()
    {
        Info = new GroupInfo(row.GetText(column), row.GetText(column + 1), row.GetText(column + 2)),
        Fanout = row.GetText(column + 3),
        FanoutPinned = row.GetInt64(column + 4) != 0,
        IsDissolved = row.GetInt64(column + 5) != 0,
        MemberCount = row.GetInt64(column + 6),
    };
}
