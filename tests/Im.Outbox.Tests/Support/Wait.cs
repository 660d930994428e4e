namespace Im.Outbox.Tests.Support;

/// <summary>Waits for what other threads do, with a deadline.</summary>
internal static class Wait
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Looks until the condition holds; fails with what was waited for.</summary>
    public static async Task ForAsync(Func<Task<bool>> condition, string what)
    {
        var deadline = DateTime.UtcNow + Patience;
        while (!await condition().WaitAsync(Patience))
        {
            Assert.True(DateTime.UtcNow < deadline, $"Waited in vain: {what}");
            await Task.Delay(5);
        }
    }

    public static Task ForAsync(Func<bool> condition, string what) => ForAsync(() => Task.FromResult(condition()), what);

    public static Task Soon(this Task task) => task.WaitAsync(Patience);

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(Patience);

    public static Task<T> Soon<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Patience);
}
