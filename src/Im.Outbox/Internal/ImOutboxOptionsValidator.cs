using Microsoft.Extensions.Options;

namespace Im.Outbox.Internal;

/// <summary>Checks the options at start and reports everything that is wrong at once.</summary>
internal sealed class ImOutboxOptionsValidator : IValidateOptions<ImOutboxOptions>
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public ValidateOptionsResult Validate(string? name, ImOutboxOptions options)
    {
        var errors = new List<string>();
        if (options.Dialect is { } dialect && !Enum.IsDefined(dialect))
        {
            errors.Add($"ImOutboxOptions.Dialect is {dialect}; use one of {string.Join(", ", Enum.GetNames<ImOutboxDialect>())}, or null.");
        }

        if (options.TableName is null || !TableNames.IsValid(options.TableName))
        {
            errors.Add(TableNames.Problem(options.TableName ?? ""));
        }

        Range(errors, nameof(options.MaxPageRows), options.MaxPageRows, 1, 10_000);
        Range(errors, nameof(options.MaxPageBytes), options.MaxPageBytes, 1024, 256 * 1024 * 1024);
        Range(errors, nameof(options.PollInterval), options.PollInterval, Moment, Hour);
        Range(errors, nameof(options.LeaseDuration), options.LeaseDuration, TimeSpan.FromMilliseconds(100), Hour);
        Range(errors, nameof(options.SendTimeout), options.SendTimeout, TimeSpan.FromMilliseconds(100), Hour);
        Range(errors, nameof(options.CommandTimeout), options.CommandTimeout, TimeSpan.FromSeconds(1), Hour);
        Range(errors, nameof(options.RetryMinDelay), options.RetryMinDelay, Moment, Hour);
        Range(errors, nameof(options.RetryMaxDelay), options.RetryMaxDelay, options.RetryMinDelay, Hour);
        Range(errors, nameof(options.GiveUpAfter), options.GiveUpAfter, TimeSpan.Zero, TimeSpan.FromDays(365));
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void Range<T>(List<string> errors, string name, T value, T min, T max)
        where T : IComparable<T>
    {
        if (value.CompareTo(min) < 0 || value.CompareTo(max) > 0)
        {
            errors.Add($"ImOutboxOptions.{name} is {value}; it must be between {min} and {max}.");
        }
    }
}
