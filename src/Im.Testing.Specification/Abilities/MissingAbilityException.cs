namespace Im.Testing.Specification;

/// <summary>Says why a fact cannot be shown with this fixture. Thrown in an <see cref="AbilityFactAttribute"/> fact, it is a skip.</summary>
public sealed class MissingAbilityException(string reason) : Exception(reason);
