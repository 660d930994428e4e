using System.Globalization;
using Im.Cluster;

namespace Im.Storage.Redis.Internal;

/// <summary>Sessions and leases as text, as records.lua reads it: records end with U+001E, fields are separated by U+001F.</summary>
internal static class Records
{
    private const char Record = '\u001e';
    private const char Field = '\u001f';
    private const int SessionFields = 9;
    private const int LeaseFields = 5;

    public static string Pack(DirectorySession session) => string.Join(
        Field,
        session.DeviceId,
        session.NodeName,
        Text(session.Epoch),
        session.ConnectionId,
        session.InstanceId,
        Text(session.Attempt),
        session.DeviceType,
        Text(session.SignedInMs),
        Text(session.Ticket));

    public static IReadOnlyList<DirectorySession> Sessions(string userId, string packed) =>
        packed.Length == 0 ? [] : [.. packed.Split(Record).Select(record => Session(userId, record))];

    public static DirectorySession Session(string userId, string packed)
    {
        var fields = packed.Split(Field);
        return fields.Length < SessionFields
            ? throw new FormatException($"Not a session: {fields.Length} fields.")
            : new DirectorySession
            {
                UserId = userId,
                DeviceId = fields[0],
                NodeName = fields[1],
                Epoch = Number(fields[2]),
                ConnectionId = fields[3],
                InstanceId = fields[4],
                Attempt = (uint)Number(fields[5]),
                DeviceType = fields[6],
                SignedInMs = Number(fields[7]),
                Ticket = Number(fields[8]),
            };
    }

    public static LiveNode Lease(string name, string packed)
    {
        var fields = packed.Split(Field);
        return fields.Length < LeaseFields
            ? throw new FormatException($"Not a lease: {fields.Length} fields.")
            : new LiveNode(new NodeDescription(name, fields[0], fields[1]), Number(fields[2]), Number(fields[3]));
    }

    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    public static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>Whole milliseconds, as PEXPIRE takes them.</summary>
    public static string Milliseconds(TimeSpan time) => Text(Math.Max(1, (long)time.TotalMilliseconds));
}
