namespace Im.Admin.Tests.Support;

/// <summary>Looks again and again, up to a limit.</summary>
public static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    /// <summary>Until it says nothing is wrong.</summary>
    public static async Task Async(Func<Task<string>> problem)
    {
        var deadline = DateTime.UtcNow + Limit;
        while (true)
        {
            var text = await problem();
            if (text.Length == 0)
            {
                return;
            }

            Assert.True(DateTime.UtcNow < deadline, text);
            await Task.Delay(Step);
        }
    }
}
