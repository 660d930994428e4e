using Im.Sample.Cluster.Node;
using Im.Sample.Cluster.Tour;

// With --node NAME it is one node of the cluster (Node/ChatNode.cs), as a container would run it. Without, it is the tour: it starts a Redis, a MariaDB
// and two nodes, lets some people talk across them, breaks things, and ends everything that it started.
return args.Contains("--node") ? await ChatNode.RunAsync(args) : await ClusterTour.RunAsync(args);
