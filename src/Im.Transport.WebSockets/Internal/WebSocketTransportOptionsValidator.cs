using Microsoft.Extensions.Options;

namespace Im.Transport.WebSockets.Internal;

/// <summary>Reports every mistake in the options at once.</summary>
internal sealed class WebSocketTransportOptionsValidator : IValidateOptions<WebSocketTransportOptions>
{
    private const int MinWriteBytes = 1024;
    private const int MinSendBufferBytes = 4096;
    private const int MaxBytes = 16 * 1024 * 1024;
    private static readonly TimeSpan MinCloseTimeout = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxCloseTimeout = TimeSpan.FromMinutes(5);

    public ValidateOptionsResult Validate(string? name, WebSocketTransportOptions options)
    {
        var result = new ValidateOptionsResultBuilder();
        if (options.CloseTimeout < MinCloseTimeout || options.CloseTimeout > MaxCloseTimeout)
        {
            result.AddError($"must be from {MinCloseTimeout} to {MaxCloseTimeout}, not {options.CloseTimeout}.", nameof(options.CloseTimeout));
        }

        if (options.MaxWriteBytes is < MinWriteBytes or > MaxBytes)
        {
            result.AddError($"must be from {MinWriteBytes} to {MaxBytes}, not {options.MaxWriteBytes}.", nameof(options.MaxWriteBytes));
        }

        if (options.SocketSendBufferBytes is < MinSendBufferBytes or > MaxBytes)
        {
            result.AddError(
                $"must be null or from {MinSendBufferBytes} to {MaxBytes}, not {options.SocketSendBufferBytes}.",
                nameof(options.SocketSendBufferBytes));
        }

        foreach (var origin in options.AllowedOrigins)
        {
            if (origin != OriginPolicy.Any && OriginPolicy.Parse(origin) is null)
            {
                result.AddError(
                    $"'{origin}' is no origin. Write scheme, host and, where it is not the scheme's own, port: https://chat.example.com",
                    nameof(options.AllowedOrigins));
            }
        }

        return result.Build();
    }
}
