using System.Globalization;
using System.Reflection;
using System.Text;

namespace Im.Storage.Relational.Stores;

/// <summary>An adapter's numbered schema files, embedded as <c>Schema/001-what.sql</c>: 1, 2, 3 … without a gap.</summary>
internal static class SchemaFiles
{
    /// <summary>The files' texts; the first is number 1.</summary>
    public static IReadOnlyList<string> Read(Assembly assembly)
    {
        var names = assembly.GetManifestResourceNames().Where(name => name.StartsWith("Schema/", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        var texts = new List<string>();
        foreach (var name in names)
        {
            if (int.Parse(name.AsSpan("Schema/".Length, 3), NumberStyles.None, CultureInfo.InvariantCulture) != texts.Count + 1)
            {
                throw new InvalidOperationException($"The schema file {name} of {assembly.GetName().Name} is out of order; number them 001, 002, …");
            }

            using var stream = assembly.GetManifestResourceStream(name)!;
            using var reader = new StreamReader(stream);
            texts.Add(reader.ReadToEnd());
        }

        return texts;
    }

    /// <summary>The files after a version as one text, each with the statement that records it.</summary>
    public static string Script(Assembly assembly, int fromVersion, string begin, string commit)
    {
        var files = Read(assembly);
        ArgumentOutOfRangeException.ThrowIfNegative(fromVersion);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fromVersion, files.Count);
        var script = new StringBuilder();
        for (var i = fromVersion; i < files.Count; i++)
        {
            script.Append(begin).Append('\n').Append(files[i].TrimEnd()).Append("\n\n").Append(Record(i + 1, files[i])).Append(";\n").Append(commit).Append("\n\n");
        }

        return script.ToString();
    }

    /// <summary>
    /// The statement that records a version, and the oldest whose programs can still work with it, as the file says; names are bytes, here in hexadecimal.
    /// </summary>
    public static string Record(int version, string file) => string.Create(
        CultureInfo.InvariantCulture,
        $"REPLACE INTO im_meta (name, value) VALUES (x'{Hex(MetaRows.Schema)}', '{version}'), (x'{Hex(MetaRows.OldestProgram)}', '{FindOldestProgram(version, file)}')");

    /// <summary>Whether a database of a newer schema says that programs of this one can work with it.</summary>
    public static bool IsUsable(SqlSession session, int known) =>
        MetaRows.Find(session, MetaRows.OldestProgram) is { } oldest && int.Parse(oldest, NumberStyles.None, CultureInfo.InvariantCulture) <= known;

    // A file that only adds says so; any other needs its own program.
    private static int FindOldestProgram(int version, string file)
    {
        const string Mark = "-- oldest program: ";
        var start = file.IndexOf(Mark, StringComparison.Ordinal);
        return start < 0
            ? version
            : int.Parse(file.AsSpan(start + Mark.Length, file.IndexOf('\n', start) - start - Mark.Length), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
    }

    private static string Hex(string name) => Convert.ToHexString(Encoding.UTF8.GetBytes(name));
}
