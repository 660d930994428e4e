using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Options;

namespace Im.Storage.Sqlite.Internal;

/// <summary>Checks the options at start and reports everything that is wrong at once.</summary>
internal sealed class SqliteOptionsValidator : IValidateOptions<ImSqliteOptions>
{
    private const int MaxLabel = 200;

    public ValidateOptionsResult Validate(string? name, ImSqliteOptions options)
    {
        var errors = new List<string>();
        CheckDatabase(errors, options);
        Range(errors, nameof(options.Readers), options.Readers, 1, 64);
        Range(errors, nameof(options.MaxQueuedCalls), options.MaxQueuedCalls, 16, 1_000_000);
        Range(errors, nameof(options.CacheBytes), options.CacheBytes, 1024 * 1024, 1024 * 1024 * 1024);
        Range(errors, nameof(options.CheckpointBytes), options.CheckpointBytes, 64 * 1024, 1024 * 1024 * 1024);
        if (options.MaxPageCount is { } pages)
        {
            Range(errors, nameof(options.MaxPageCount), pages, 64, int.MaxValue);
        }

        if (options.BusyTimeout < TimeSpan.Zero || options.BusyTimeout > TimeSpan.FromMinutes(1))
        {
            errors.Add($"ImSqliteOptions.BusyTimeout is {options.BusyTimeout}; set 0 to 60 seconds.");
        }

        if (!Enum.IsDefined(options.Synchronous))
        {
            errors.Add($"ImSqliteOptions.Synchronous is {options.Synchronous}; set Full or Normal.");
        }

        if (options.NewGeneration is { Length: 0 or > MaxLabel })
        {
            errors.Add($"ImSqliteOptions.NewGeneration must have 1 to {MaxLabel} characters; null = the generation stays.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static void CheckDatabase(List<string> errors, ImSqliteOptions options)
    {
        try
        {
            _ = SqliteDatabase.Parse(options.Database ?? "");
        }
        catch (ArgumentException exception)
        {
            errors.Add($"ImSqliteOptions.Database: {exception.Message}");
        }
    }

    private static void Range(List<string> errors, string name, int value, int min, int max)
    {
        if (value < min || value > max)
        {
            errors.Add($"ImSqliteOptions.{name} is {value}; set {min} to {max}.");
        }
    }
}
