using Xunit.Sdk;

namespace Im.Testing.Specification;

/// <summary>
/// A fact about something that not every adapter can do or show. Where the fixture lacks the ability it is reported as skipped, with the
/// reason: never as passed.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Im.Testing.Specification.AbilityFactDiscoverer", "Im.Testing.Specification")]
public sealed class AbilityFactAttribute : FactAttribute;
