namespace Im.Transport.Tcp.Tests.Support;

internal static class Wait
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    /// <summary>Polls until the condition holds; fails with its text after the limit.</summary>
    public static async Task UntilAsync(
        Func<bool> condition, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string text = "")
    {
        var deadline = Environment.TickCount64 + (long)Limit.TotalMilliseconds;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 < deadline, $"never came true: {text}");
            await Task.Delay(5);
        }
    }

    /// <summary>True when the value did not change for a while: used to see that nothing goes on.</summary>
    public static async Task UntilStillAsync(Func<long> value)
    {
        for (var (last, same) = (value(), 0); same < 20; same++)
        {
            await Task.Delay(10);
            if (value() != last)
            {
                (last, same) = (value(), 0);
            }
        }
    }
}
