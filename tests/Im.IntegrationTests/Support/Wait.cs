namespace Im.IntegrationTests.Support;

/// <summary>Waits for what other threads do, with a deadline.</summary>
internal static class Wait
{
    /// <summary>Looks until the condition holds; fails with what was waited for.</summary>
    public static async Task ForAsync(Func<bool> condition, string what)
    {
        var deadline = DateTime.UtcNow + WireClient.Patience;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < deadline, $"Waited in vain: {what}");
            await Task.Delay(5);
        }
    }

    /// <summary>Ends with the task, or fails after the usual patience.</summary>
    public static Task InTimeAsync(this Task task) => task.WaitAsync(WireClient.Patience);

    /// <summary>Ends with the task, or fails after the usual patience.</summary>
    public static Task<T> InTimeAsync<T>(this Task<T> task) => task.WaitAsync(WireClient.Patience);
}
