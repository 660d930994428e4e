namespace Im.Sample.Cluster.Tour;

/// <summary>Finds the servers' programs: in PATH, and where Debian puts what is meant for administrators.</summary>
internal static class Programs
{
    /// <summary>Null where it is not installed.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Concat(["/usr/sbin", "/usr/local/sbin", "/usr/local/bin"])
        .Select(folder => Path.Combine(folder, name))
        .FirstOrDefault(File.Exists);

    /// <summary>Throws with the packages to install where something is missing.</summary>
    public static void Require()
    {
        string[] missing =
        [
            .. new[] { ("mariadbd", "mariadb-server"), ("mariadb-install-db", "mariadb-server"), ("redis-server", "redis-server") }
                .Where(one => Find(one.Item1) is null).Select(one => one.Item2).Distinct(),
        ];
        if (missing.Length > 0)
        {
            throw new TourException(
                "The tour starts a Redis and a MariaDB of its own, and their programs are not installed. On Debian:\n"
                + $"    sudo apt-get install -y --no-install-recommends {string.Join(' ', missing)}\n"
                + "Or start the containers: see containers/compose.yaml.");
        }
    }
}
