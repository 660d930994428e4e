using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Im.Outbox.Tests.Support;

/// <summary>Keeps what is logged, by event id.</summary>
internal sealed class LogRecorder : ILoggerProvider
{
    private readonly ConcurrentQueue<(int Id, string Text)> _lines = new();

    public int Count(int eventId) => _lines.Count(line => line.Id == eventId);

    public IReadOnlyList<string> Texts(int eventId) => [.. _lines.Where(line => line.Id == eventId).Select(line => line.Text)];

    public ILogger CreateLogger(string categoryName) => new Logger(this);

    public void Dispose()
    {
    }

    private sealed class Logger(LogRecorder recorder) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                recorder._lines.Enqueue((eventId.Id, $"{formatter(state, exception)} {exception}"));
            }
        }
    }
}
