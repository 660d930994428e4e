using Microsoft.Extensions.Options;

namespace Im.Storage.MySql.Internal;

/// <summary>Checks the options at start and reports everything that is wrong at once.</summary>
internal sealed class MySqlOptionsValidator : IValidateOptions<ImMySqlOptions>
{
    private const int MaxLabel = 200;

    public ValidateOptionsResult Validate(string? name, ImMySqlOptions options)
    {
        var errors = new List<string>();
        if (options.ConnectionInitSql is null)
        {
            errors.Add("ImMySqlOptions.ConnectionInitSql is null; set an empty text for none.");
        }

        Range(errors, nameof(options.WriteLanes), options.WriteLanes, 1, 64);
        Range(errors, nameof(options.ReadLanes), options.ReadLanes, 1, 64);
        Range(errors, nameof(options.MaxQueuedCalls), options.MaxQueuedCalls, 16, 1_000_000);
        Range(errors, nameof(options.CommandTimeout), options.CommandTimeout, TimeSpan.FromHours(1));
        Range(errors, nameof(options.LockWaitTimeout), options.LockWaitTimeout, TimeSpan.FromMinutes(1));
        Range(errors, nameof(options.IdleTransactionTimeout), options.IdleTransactionTimeout, TimeSpan.FromHours(1));
        Range(errors, nameof(options.NodeNameWait), options.NodeNameWait, TimeSpan.FromMinutes(10));
        Range(errors, nameof(options.NodeNameTimeout), options.NodeNameTimeout, TimeSpan.FromMinutes(10));
        Range(errors, nameof(options.CommitDecisionTimeout), options.CommitDecisionTimeout, TimeSpan.FromHours(1));
        if (options.NewGeneration is { Length: 0 or > MaxLabel })
        {
            errors.Add($"ImMySqlOptions.NewGeneration must have 1 to {MaxLabel} characters; null = the generation stays.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void Range(List<string> errors, string name, int value, int min, int max)
    {
        if (value < min || value > max)
        {
            errors.Add($"ImMySqlOptions.{name} is {value}; set {min} to {max}.");
        }
    }

    private static void Range(List<string> errors, string name, TimeSpan value, TimeSpan max)
    {
        if (value < TimeSpan.FromSeconds(1) || value > max)
        {
            errors.Add($"ImMySqlOptions.{name} is {value}; set 1 second to {max}.");
        }
    }
}
