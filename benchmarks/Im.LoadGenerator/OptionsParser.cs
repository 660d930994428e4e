using System.Globalization;
using Im.LoadGenerator.Wire;

namespace Im.LoadGenerator;

/// <summary>Reads <c>SCENARIO --name value …</c>.</summary>
internal static class OptionsParser
{
    public static readonly string[] Scenarios = ["group", "room", "direct", "echo", "open-loop", "idle", "storm", "sync", "slow", "crash"];

    /// <exception cref="UsageException">Something is unknown or out of range.</exception>
    public static Options Parse(IReadOnlyList<string> args)
    {
        if (args.Count == 0 || !Scenarios.Contains(args[0]))
        {
            throw new UsageException($"The first argument is a scenario: {string.Join(", ", Scenarios)}. See --help.");
        }

        var options = new Options
        {
            Scenario = args[0],
            Connections = args[0] switch { "idle" or "storm" => 10_000, "sync" => 1, _ => 64 },
            Messages = args[0] switch { "storm" => 10, "sync" => 100_000, _ => 500 },
            InFlight = args[0] == "crash" ? 4 : 1,
        };
        for (var i = 1; i < args.Count; i++)
        {
            var name = args[i];
            switch (name)
            {
                case "--json":
                    options = options with { Json = true };
                    continue;
                case "--no-device-acks":
                    options = options with { NoDeviceAcks = true };
                    continue;
            }

            if (i + 1 == args.Count)
            {
                throw new UsageException(name.StartsWith("--", StringComparison.Ordinal) ? $"{name} needs a value. See --help." : $"Unknown argument {name}. See --help.");
            }

            options = Apply(options, name, args[++i]);
        }

        return Check(options);
    }

    private static Options Apply(Options options, string name, string value) => name switch
    {
        "--transport" => options with { Transport = ToTransport(value) },
        "--store" => options with { Store = OneOf(name, value, "memory", "sqlite", "mysql") },
        "--fanout" => options with { Fanout = OneOf(name, value, "write", "read") },
        "--members" => options with { Members = Number(name, value, 2, 100_000) },
        "--messages" => options with { Messages = Number(name, value, 1, 10_000_000) },
        "--rounds" => options with { Rounds = Number(name, value, 1, 1_000_000) },
        "--warmup" => options with { Warmup = Number(name, value, 0, 1_000_000) },
        "--connections" => options with { Connections = Number(name, value, 1, 1_000_000) },
        "--in-flight" => options with { InFlight = Number(name, value, 1, 1000) },
        "--tick" => options with { Tick = Time(name, value) },
        "--rate" => options with { Rate = Number(name, value, 1, 10_000_000) },
        "--seed" => options with { Seed = Number(name, value, 0, int.MaxValue) },
        "--seconds" => options with { Duration = Time(name, value) },
        "--bytes" => options with { Bytes = Number(name, value, Stamp.Bytes, 60_000) },
        "--slow-percent" => options with { SlowPercent = Number(name, value, 1, 90) },
        "--kills" => options with { Kills = Number(name, value, 1, 100_000) },
        "--kill" => options with { Kill = OneOf(name, value, "server", "store") },
        "--server" => options with { Server = value },
        "--pid" => options with { Pid = Number(name, value, 1, int.MaxValue) },
        "--user" => options with { User = value },
        "--token" => options with { Token = value },
        "--group" => options with { Group = value },
        "--device-acks" => options with { DeviceAcks = Time(name, value) },
        "--patience" => options with { Patience = Time(name, value) },
        "--data" => options with { Data = value },
        "--server-option" when value.Contains('=', StringComparison.Ordinal) => options with { ServerOptions = [.. options.ServerOptions, value] },
        "--server-option" => throw new UsageException("--server-option is NAME=VALUE, for example Im:MaxBatchMessages=500."),
        _ => throw new UsageException($"Unknown option {name}. See --help."),
    };

    private static Options Check(Options options)
    {
        if (options.Scenario == "crash" && !options.IsOwnServer)
        {
            throw new UsageException("crash kills the server it has started; leave out --server.");
        }

        if (options.Scenario is "crash" or "sync" && options.Store == "memory")
        {
            throw new UsageException($"{options.Scenario} needs a store that survives: --store sqlite or mysql.");
        }

        if (options.Kill == "store" && options.Store != "mysql")
        {
            throw new UsageException("--kill store needs --store mysql; SQLite has no process of its own.");
        }

        if (!options.IsOwnServer && options.Group is null && options.Scenario is "group" or "open-loop" or "slow")
        {
            throw new UsageException("With --server name a group with --group; its members are users 0 … --members - 1 of the pattern --user.");
        }

        if (!options.IsOwnServer && options.Scenario is "storm" or "sync")
        {
            throw new UsageException($"{options.Scenario} makes its groups and their backlog itself, on the server it starts; leave out --server.");
        }

        return options;
    }

    private static TransportKind ToTransport(string value) => value switch
    {
        "tcp" => TransportKind.Tcp,
        "ws" => TransportKind.Ws,
        "ws-json" => TransportKind.WsJson,
        _ => throw new UsageException($"--transport is tcp, ws or ws-json, not {value}."),
    };

    private static string OneOf(string name, string value, params string[] known) =>
        known.Contains(value) ? value : throw new UsageException($"{name} is {string.Join(" or ", known)}, not {value}.");

    private static int Number(string name, string value, int min, int max) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new UsageException($"{name} is a number from {min} to {max}, not {value}.");

    // "1s", "500ms", or seconds.
    private static TimeSpan Time(string name, string value)
    {
        var (digits, unit) = value.EndsWith("ms", StringComparison.Ordinal) ? (value[..^2], 0.001)
            : value.EndsWith('s') ? (value[..^1], 1)
            : (value, 1.0);
        return double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number > 0
            ? TimeSpan.FromSeconds(number * unit)
            : throw new UsageException($"{name} is a time such as 1s or 500ms, not {value}.");
    }
}
