using System.Runtime.InteropServices;

namespace Im.LocalServers;

/// <summary>What a process can be told on Unix; <see cref="System.Diagnostics.Process"/> knows SIGKILL only.</summary>
internal static partial class Signals
{
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    public static void Send(int processId, int signal)
    {
        // A process that has just ended is no error: the caller waits for its end anyway.
        _ = Kill(processId, signal);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
