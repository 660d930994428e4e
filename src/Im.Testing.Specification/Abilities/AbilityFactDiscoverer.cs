using Xunit.Abstractions;
using Xunit.Sdk;

namespace Im.Testing.Specification;

/// <summary>Finds the facts marked <see cref="AbilityFactAttribute"/>; xunit makes it by its name.</summary>
internal sealed class AbilityFactDiscoverer(IMessageSink diagnostics) : IXunitTestCaseDiscoverer
{
    public IEnumerable<IXunitTestCase> Discover(ITestFrameworkDiscoveryOptions options, ITestMethod method, IAttributeInfo fact) =>
        [new AbilityTestCase(diagnostics, options.MethodDisplayOrDefault(), options.MethodDisplayOptionsOrDefault(), method)];
}
