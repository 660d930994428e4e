namespace Im.Storage;

/// <summary>Keeps a node's name to one live process on a storage that several nodes share. A storage that only one process can open has
/// none, and with <c>UseRedis</c> a server with such a storage does not start.</summary>
/// <remarks>
/// <para>One object a server; a process of it is named by an instance id that is random for each start. The name is kept by the storage itself, so that
/// it also holds where the directory is away, and it is free again soon after the process or its machine has died.</para>
/// <para>It keeps mistakes from happening (the same configuration on two machines); it is not what makes a message stored once: a process that
/// was frozen may go on for a moment before it learns that the name is lost, and what it commits then is valid like any other node's commit.</para>
/// </remarks>
public interface INodeGuard
{
    /// <summary>
    /// Takes the name, before anything else is asked of the storage; waits a short while for a process that is just ending. From then on the name is
    /// held until <see cref="ReleaseAsync"/>, over lost connections too. Called once.
    /// </summary>
    /// <param name="nodeName">The node's name.</param>
    /// <param name="instanceId">Random for each start of the process; <see cref="EndNodeConnectionsAsync"/> finds its connections by it.</param>
    /// <param name="lost">
    /// Called at most once, when another process was found to have the name after a connection was lost: the server must stop. Must not block.
    /// </param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="ImStorageException">Another live process has the name (<see cref="ImStorageFailure.Refused"/>), or the storage is away.</exception>
    ValueTask AcquireAsync(string nodeName, string instanceId, Action lost, CancellationToken cancellationToken);

    /// <summary>Gives the name back, so that the next process of that name need not wait. Nothing happens where it is not held.</summary>
    ValueTask ReleaseAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Ends the storage connections of a process that is dead or frozen, so that a transaction it has open blocks nobody: what was not committed is
    /// rolled back. Connections of any other instance are not touched, also where it has the same name by now. A process that lives all the same opens
    /// new ones and goes on.
    /// </summary>
    /// <returns>How many were ended.</returns>
    /// <exception cref="ImStorageException">The storage is away.</exception>
    ValueTask<int> EndNodeConnectionsAsync(string nodeName, string instanceId, CancellationToken cancellationToken);
}
