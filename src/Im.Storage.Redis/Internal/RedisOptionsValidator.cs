using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Im.Storage.Redis.Internal;

/// <summary>Checks the options at start and reports everything that is wrong at once.</summary>
internal sealed class RedisOptionsValidator : IValidateOptions<ImRedisOptions>
{
    private const int MaxPrefix = 64;
    private const string Example = "write for example UseRedis(\"localhost:6379\") or UseRedis(\"redis1:6379,redis2:6379,password=…,ssl=true\").";

    public ValidateOptionsResult Validate(string? name, ImRedisOptions options)
    {
        var errors = new List<string>();
        if (options.Connect is null)
        {
            CheckConfiguration(errors, options.Configuration);
        }

        if (options.KeyPrefix is not { Length: > 0 and <= MaxPrefix } prefix || prefix.Any(c => c is '{' or '}' or ' ' || char.IsControl(c)))
        {
            errors.Add($"ImRedisOptions.KeyPrefix must have 1 to {MaxPrefix} characters without braces, spaces and control characters, such as \"im\".");
        }

        Range(errors, nameof(options.OperationTimeout), options.OperationTimeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1));
        Range(errors, nameof(options.ProbeInterval), options.ProbeInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(1));
        Range(errors, nameof(options.ReconnectAfter), options.ReconnectAfter, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        Range(errors, nameof(options.KeepLastSeenFor), options.KeepLastSeenFor, TimeSpan.FromSeconds(1), TimeSpan.FromDays(3650));
        Range(errors, nameof(options.KeepHeadsFor), options.KeepHeadsFor, TimeSpan.FromSeconds(1), TimeSpan.FromDays(30));
        Range(errors, nameof(options.ContendedFor), options.ContendedFor, TimeSpan.Zero, TimeSpan.FromHours(1));
        Range(errors, nameof(options.KeepMembersFor), options.KeepMembersFor, TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(30));
        Range(errors, nameof(options.FillTimeout), options.FillTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        Range(errors, nameof(options.KeepRoomsFor), options.KeepRoomsFor, TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(30));
        Range(errors, nameof(options.ReorderWait), options.ReorderWait, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Range(errors, nameof(options.MaxLocalHeads), options.MaxLocalHeads, 2, 100_000_000);
        Range(errors, nameof(options.MaxQueuedMessages), options.MaxQueuedMessages, 16, 1_000_000);
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void CheckConfiguration(List<string> errors, string? configuration)
    {
        try
        {
            if (string.IsNullOrWhiteSpace(configuration) || ConfigurationOptions.Parse(configuration).EndPoints.Count == 0)
            {
                errors.Add($"ImRedisOptions.Configuration names no server; {Example}");
            }
        }
        catch (Exception exception)
        {
            // The library throws several types. The text may hold a password, so it is not repeated; the library names the keyword.
            errors.Add($"ImRedisOptions.Configuration is not what StackExchange.Redis reads ({exception.Message}); {Example}");
        }
    }

    private static void Range<T>(List<string> errors, string name, T value, T min, T max)
        where T : IComparable<T>
    {
        if (value.CompareTo(min) < 0 || value.CompareTo(max) > 0)
        {
            errors.Add($"ImRedisOptions.{name} is {value}; set {min} to {max}.");
        }
    }
}
