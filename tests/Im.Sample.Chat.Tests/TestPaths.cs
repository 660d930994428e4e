using System.Reflection;

namespace Im.Sample.Chat.Tests;

/// <summary>Where the sample was built and where screenshots go, as the build wrote it down.</summary>
internal static class TestPaths
{
    public static string SampleFolder => Read("SampleFolder");

    public static string SampleProgram => Read("SampleProgram");

    public static string Artifacts => Directory.CreateDirectory(Read("Artifacts")).FullName;

    private static string Read(string key) => Path.GetFullPath(typeof(TestPaths).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!);
}
