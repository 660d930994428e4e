using System.Security.Cryptography;

namespace Im.Storage.Relational.Stores;

/// <summary>The store's generation: made once, and again when an operator says that a backup was restored.</summary>
internal static class Generations
{
    /// <summary>Makes the generation where there is none, or where the label is another one than the database keeps. Inside a write transaction.</summary>
    public static void Ensure(SqlSession session, string? label)
    {
        var isNew = label is not null && MetaRows.Find(session, MetaRows.GenerationLabel) != label;
        if (!isNew && MetaRows.Find(session, MetaRows.Generation) is not null)
        {
            return;
        }

        MetaRows.Set(session, MetaRows.Generation, RandomNumberGenerator.GetHexString(32, lowercase: true));
        if (label is not null)
        {
            MetaRows.Set(session, MetaRows.GenerationLabel, label);
        }
    }
}
