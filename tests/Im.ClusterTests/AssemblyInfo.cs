// Each test starts servers and measures time: one after the other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
