namespace Im.Client;

/// <summary>How to subscribe to a room.</summary>
public sealed record ImRoomSubscription
{
    /// <summary>Leave all other rooms in the same step.</summary>
    public bool LeaveOthers { get; init; }

    /// <summary>Begin with so many of the newest messages that are kept, of each priority; 0 = no limit of number where there is one of age, else none.</summary>
    public int ReplayMessages { get; init; }

    /// <summary>Begin with what is kept and not older than this; zero = no limit of age where there is one of number, else none.</summary>
    public TimeSpan ReplayAge { get; init; }
}
