namespace Im.Testing.Specification;

/// <summary>Every await of a test has a limit: a store that hangs fails its test instead of the run.</summary>
internal static class TimeLimit
{
    public static readonly TimeSpan Default = TimeSpan.FromSeconds(20);

    public static Task<T> Soon<T>(this ValueTask<T> task) => task.AsTask().WaitAsync(Default);

    public static Task Soon(this ValueTask task) => task.AsTask().WaitAsync(Default);

    public static Task<T> Soon<T>(this Task<T> task) => task.WaitAsync(Default);

    public static Task Soon(this Task task) => task.WaitAsync(Default);
}
