using System.Globalization;

namespace Im.Storage.Relational.Stores;

/// <summary>Writes the time into im_meta, for health checks.</summary>
/// <param name="lanes">The adapter's lanes.</param>
/// <param name="time">The store's clock.</param>
/// <param name="padding">So many characters are written first and cut off again, so that a file that cannot grow fails the probe as it fails an append.</param>
internal sealed class RelationalProbe(RelationalLanes lanes, TimeProvider time, int padding = 0) : IStorageProbe
{
    public ValueTask ProbeAsync(CancellationToken cancellationToken) => new(lanes.Write.WriteAsync(
        session =>
        {
            if (padding > 0)
            {
                MetaRows.Set(session, MetaRows.Probe, new string(' ', padding));
            }

            MetaRows.Set(session, MetaRows.Probe, time.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture));
            return true;
        },
        cancellationToken));
}
