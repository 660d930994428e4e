using Microsoft.Extensions.Logging;

namespace Im.Administration.Internal;

/// <summary>What Im.Admin logs.</summary>
internal static partial class AdminLog
{
    [LoggerMessage(EventIds.AdminCalled, LogLevel.Information, "{User} calls {Method} {Path}.")]
    public static partial void Called(ILogger logger, string user, string method, string path);

    [LoggerMessage(EventIds.AdminCallFailed, LogLevel.Error, "{Method} {Path} failed.")]
    public static partial void Failed(ILogger logger, string method, string path, Exception exception);
}
