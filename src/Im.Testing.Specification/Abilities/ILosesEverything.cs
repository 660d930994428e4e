namespace Im.Testing.Specification;

/// <summary>An ability of a cluster fixture: what the nodes share comes back empty while they live, as Redis does after a restart.</summary>
/// <remarks>A fixture implements it beside <see cref="IClusterFixture"/>; without it the facts about it are skipped, visibly.</remarks>
public interface ILosesEverything
{
    /// <summary>Ends when the nodes can use it again.</summary>
    ValueTask RestartEmptyAsync();
}
