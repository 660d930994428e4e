namespace Im.Admin.Tests.Support;

/// <summary>Looks again and again, up to a limit.</summary>
public static class Eventually
{
    private const long LimitMs = 10_000;
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    /// <summary>Until it says nothing is wrong.</summary>
    public static async Task Async(Func<Task<string>> problem)
    {
        var deadline = Environment.TickCount64 + LimitMs;
        while (true)
        {
            var text = await problem();
            if (text.Length == 0)
            {
                return;
            }

            Assert.True(Environment.TickCount64 < deadline, text);
            await Task.Delay(Step);
        }
    }
}
