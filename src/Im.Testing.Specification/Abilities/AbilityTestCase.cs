using System.ComponentModel;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Im.Testing.Specification;

/// <summary>A test case that turns <see cref="MissingAbilityException"/> into a skip with its reason.</summary>
internal sealed class AbilityTestCase : XunitTestCase
{
    /// <summary>For xunit's deserializer.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    [Obsolete("Called by xunit.")]
    public AbilityTestCase()
    {
    }

    public AbilityTestCase(
        IMessageSink diagnostics, TestMethodDisplay display, TestMethodDisplayOptions displayOptions, ITestMethod method)
        : base(diagnostics, display, displayOptions, method)
    {
    }

    public override async Task<RunSummary> RunAsync(
        IMessageSink diagnostics,
        IMessageBus bus,
        object[] constructorArguments,
        ExceptionAggregator aggregator,
        CancellationTokenSource cancellation)
    {
        using var skipping = new SkippingBus(bus);
        var summary = await base.RunAsync(diagnostics, skipping, constructorArguments, aggregator, cancellation);
        summary.Failed -= skipping.Skipped;
        summary.Skipped += skipping.Skipped;
        return summary;
    }

    private sealed class SkippingBus(IMessageBus inner) : IMessageBus
    {
        public int Skipped { get; private set; }

        public bool QueueMessage(IMessageSinkMessage message)
        {
            if (message is ITestFailed { ExceptionTypes: [var type, ..] } failed && type == typeof(MissingAbilityException).FullName)
            {
                Skipped++;
                return inner.QueueMessage(new TestSkipped(failed.Test, failed.Messages[0]));
            }

            return inner.QueueMessage(message);
        }

        // The inner bus is its owner's to end.
        public void Dispose()
        {
        }
    }
}
