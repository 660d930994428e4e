namespace Im.LoadGenerator.Clients;

/// <summary>Every connection is an open file, here and in the server that inherits the limit.</summary>
internal static unsafe class OpenFiles
{
    private const int Spare = 500;

    /// <summary>Raises the limit of this process, and so of those it starts, to what the connections need.</summary>
    public static void Require(int connections)
    {
        var needed = (ulong)(connections + Spare);
        var limits = stackalloc ulong[2];
        Libc.GetLimit(Libc.LimitOpenFiles, limits);
        if (limits[0] >= needed)
        {
            return;
        }

        var hard = limits[1];
        limits[0] = needed;
        limits[1] = Math.Max(needed, hard); // raising the hard limit is for root only
        if (Libc.SetLimit(Libc.LimitOpenFiles, limits) != 0)
        {
            throw new UsageException(
                $"{connections} connections need {needed} open files, and this process may have {hard}. Raise the limit: ulimit -Hn {needed}, "
                + "or nofile in /etc/security/limits.conf.");
        }
    }
}
