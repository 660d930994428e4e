namespace Im.ClusterTests.Cluster;

/// <summary>Polls a condition until its deadline.</summary>
internal static class Wait
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>The condition says what is missing still; null = it holds. What it throws counts as missing.</summary>
    public static async Task UntilAsync(Func<Task<string?>> missing, TimeSpan? timeout = null)
    {
        var limit = timeout ?? TimeSpan.FromSeconds(30);
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            string? what;
            try
            {
                what = await missing();
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException or TaskCanceledException)
            {
                what = exception.Message;
            }

            if (what is null)
            {
                return;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < limit, $"Not within {limit.TotalSeconds} s: {what}");
            await Task.Delay(Interval);
        }
    }

    public static Task UntilAsync(Func<bool> condition, string what, TimeSpan? timeout = null) =>
        UntilAsync(() => Task.FromResult(condition() ? null : what), timeout);
}
