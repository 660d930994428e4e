using Microsoft.Extensions.Options;

namespace Im.Transport.Tcp.Internal;

/// <summary>Checks the options at start and reports everything that is wrong at once.</summary>
internal sealed class TcpTransportOptionsValidator : IValidateOptions<TcpTransportOptions>
{
    public ValidateOptionsResult Validate(string? name, TcpTransportOptions options)
    {
        var errors = new List<string>();
        Range(errors, nameof(options.Port), options.Port, 0, 65535);
        Range(errors, nameof(options.Backlog), options.Backlog, 1, 65535);
        Range(errors, nameof(options.SendBufferBytes), options.SendBufferBytes, 4 * 1024, 16 * 1024 * 1024);
        Range(errors, nameof(options.MaxWriteBytes), options.MaxWriteBytes, 1024, 16 * 1024 * 1024);
        Range(errors, nameof(options.CloseTimeout), options.CloseTimeout);
        Range(errors, nameof(options.TlsHandshakeTimeout), options.TlsHandshakeTimeout);
        CheckEndpoints(errors, options.Endpoints);
        CheckTwice(errors, options);
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void CheckEndpoints(List<string> errors, IList<TcpEndpointOptions> endpoints)
    {
        for (var i = 0; i < endpoints.Count; i++)
        {
            var name = $"{nameof(TcpTransportOptions.Endpoints)}[{i}]";
            if (endpoints[i] is not { } endpoint)
            {
                errors.Add($"TcpTransportOptions.{name} is null; add a TcpEndpointOptions.");
                continue;
            }

            Range(errors, $"{name}.Port", endpoint.Port, 0, 65535);
            if (endpoint.Address is null)
            {
                errors.Add($"TcpTransportOptions.{name}.Address is null; use IPAddress.IPv6Any for every address.");
            }

            CheckTls(errors, name, endpoint);
        }
    }

    private static void CheckTls(List<string> errors, string name, TcpEndpointOptions endpoint)
    {
        if (endpoint.Certificate is { HasPrivateKey: false })
        {
            errors.Add($"TcpTransportOptions.{name}.Certificate has no private key; load it from a .pfx or with its .key file.");
        }

        if (endpoint.Tls is not { } tls)
        {
            return;
        }

        if (endpoint.Certificate is not null)
        {
            errors.Add($"TcpTransportOptions.{name} has both Certificate and Tls; set one of them.");
        }
        else if (tls.ServerCertificate is null && tls.ServerCertificateContext is null && tls.ServerCertificateSelectionCallback is null)
        {
            errors.Add($"TcpTransportOptions.{name}.Tls has no certificate; set its ServerCertificate.");
        }
    }

    private static void CheckTwice(List<string> errors, TcpTransportOptions options)
    {
        var twice = options.EffectiveEndpoints()
            .Where(endpoint => endpoint is { Address: not null, Port: not 0 })
            .GroupBy(endpoint => (endpoint.Address, endpoint.Port))
            .Where(group => group.Count() > 1);
        errors.AddRange(twice.Select(group =>
            $"TcpTransportOptions listens on {group.Key.Address} port {group.Key.Port} twice; remove one or give it another port."));
    }

    private static void Range(List<string> errors, string name, int value, int min, int max)
    {
        if (value < min || value > max)
        {
            errors.Add($"TcpTransportOptions.{name} is {value}; it must be between {min} and {max}.");
        }
    }

    private static void Range(List<string> errors, string name, TimeSpan value)
    {
        if (value < TimeSpan.FromMilliseconds(1) || value > TimeSpan.FromMinutes(10))
        {
            errors.Add($"TcpTransportOptions.{name} is {value}; it must be between 1 millisecond and 10 minutes.");
        }
    }
}
