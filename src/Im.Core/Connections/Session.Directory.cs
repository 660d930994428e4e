using Im.Cluster;

namespace Im.Connections;

/// <content>What the directory has of the session.</content>
internal sealed partial class Session
{
    private DirectorySession? _directoryEntry;
    private DirectorySession? _inheritedEntry;
    private volatile bool _isRegistering = true;

    /// <summary>Whether its sign-in is asking the directory, or about to: until then nobody else registers it.</summary>
    public bool IsRegistering
    {
        get => _isRegistering;
        set => _isRegistering = value;
    }

    /// <summary>The session as the directory has it; null = it does not, as far as is known.</summary>
    public DirectorySession? DirectoryEntry
    {
        get => Volatile.Read(ref _directoryEntry);
        set => Volatile.Write(ref _directoryEntry, value);
    }

    /// <summary>
    /// Takes over the entry of the session that this one replaces on this node: it is replaced by this one's registration, so that the device is in the
    /// directory all the time, or removed with this one.
    /// </summary>
    public void InheritFrom(Session replaced) => Volatile.Write(ref _inheritedEntry, replaced.TakeDirectoryEntry());

    /// <summary>
    /// It is registered: the entry that it took over is no more. Where the answer came late, and it stands there under a newer epoch already, that stays:
    /// only what names the newest epoch removes it.
    /// </summary>
    public void Registered(DirectorySession entry)
    {
        Volatile.Write(ref _inheritedEntry, null);
        for (var known = DirectoryEntry; known is null || known.Epoch <= entry.Epoch;)
        {
            var before = Interlocked.CompareExchange(ref _directoryEntry, entry, known);
            if (before == known)
            {
                return;
            }

            known = before;
        }
    }

    /// <summary>The entry, for whoever removes it: once.</summary>
    public DirectorySession? TakeDirectoryEntry() =>
        Interlocked.Exchange(ref _directoryEntry, null) ?? Interlocked.Exchange(ref _inheritedEntry, null);
}
