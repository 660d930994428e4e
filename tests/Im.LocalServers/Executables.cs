namespace Im.LocalServers;

/// <summary>Finds the servers' programs: in PATH, and where Debian puts what is meant for administrators.</summary>
internal static class Executables
{
    public static string Find(string name, string debianPackage)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Concat(["/usr/sbin", "/usr/local/sbin", "/usr/local/bin"]);
        return folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists)
            ?? throw new LocalServerException(
                $"{name} was not found in PATH. Install it, on Debian: sudo apt-get install -y --no-install-recommends {debianPackage}");
    }
}
