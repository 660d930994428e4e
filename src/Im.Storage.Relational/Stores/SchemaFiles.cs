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
            script.Append(begin).Append('\n').Append(files[i].TrimEnd()).Append("\n\n").Append(Record(i + 1)).Append(";\n").Append(commit).Append("\n\n");
        }

        return script.ToString();
    }

    /// <summary>The statement that records a version; names are bytes, here in hexadecimal.</summary>
    public static string Record(int version) => string.Create(
        CultureInfo.InvariantCulture,
        $"REPLACE INTO im_meta (name, value) VALUES (x'{Convert.ToHexString(Encoding.UTF8.GetBytes(MetaRows.Schema))}', '{version}')");
}
