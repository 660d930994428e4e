using System.Collections.Frozen;

namespace Im.Fanout;

/// <summary>The strategies by name.</summary>
internal sealed class FanoutStrategies(IEnumerable<IFanoutStrategy> strategies)
{
    private readonly FrozenDictionary<string, IFanoutStrategy> _byName =
        strategies.ToFrozenDictionary(strategy => strategy.Name, StringComparer.Ordinal);

    public IFanoutStrategy Get(string name) =>
        _byName.TryGetValue(name, out var strategy)
            ? strategy
            : throw new InvalidOperationException($"There is no fan-out strategy \"{name}\"; known are: {string.Join(", ", _byName.Keys.Order())}.");

    public bool IsKnown(string name) => _byName.ContainsKey(name);
}
