namespace Im.Client;

/// <summary>What <see cref="ImClient.ReadAsync"/> hands over: an entry, a reset or a signal.</summary>
public abstract record ImEvent
{
    private protected ImEvent()
    {
    }
}
