using System.Globalization;

namespace Im.Storage.Relational.Stores;

/// <summary>Writes the time into im_meta, for health checks.</summary>
internal sealed class RelationalProbe(RelationalLanes lanes, TimeProvider time) : IStorageProbe
{
    public ValueTask ProbeAsync(CancellationToken cancellationToken) => new(lanes.Write.WriteAsync(
        session =>
        {
            MetaRows.Set(session, MetaRows.Probe, time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
            return true;
        },
        cancellationToken));
}
