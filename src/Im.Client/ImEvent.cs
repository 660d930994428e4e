namespace Im.Client;

/// <summary>What <see cref="ImClient.ReadAsync"/> hands over: an entry, a reset, a signal, presence, or what comes of a room.</summary>
public abstract record ImEvent
{
    private protected ImEvent()
    {
    }
}
