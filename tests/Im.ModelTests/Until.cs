namespace Im.ModelTests;

/// <summary>Waits for a condition by looking at it.</summary>
internal static class Until
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(25);

    /// <summary>Waits as long as the number keeps changing; fails when it has not for a while.</summary>
    public static async Task ProgressAsync(Func<bool> condition, Func<long> progress, Func<string> describe)
    {
        var (last, since) = (progress(), DateTime.UtcNow);
        while (!condition())
        {
            await Task.Delay(20);
            var now = progress();
            if (now != last)
            {
                (last, since) = (now, DateTime.UtcNow);
            }
            else if (DateTime.UtcNow - since > Patience)
            {
                throw new TimeoutException($"Nothing has moved for {Patience.TotalSeconds} s. {describe()}");
            }
        }
    }
}
