using Im.LoadGenerator.Output;

namespace Im.LoadGenerator.Scenarios;

/// <summary>One way to load the server; straight-line code that lets the clients' loop run until something is so.</summary>
internal interface IScenario
{
    void Run(Report report);
}
