namespace Im.LoadGenerator;

/// <summary>What <c>--help</c> prints.</summary>
internal static class Help
{
    public const string Text = """
        Loads an Im.Embedded server and checks, while it measures, that nothing is lost, comes twice or out of order.

          dotnet run -c Release --project benchmarks/Im.LoadGenerator -- SCENARIO [options]

        Scenarios
          group      In each of --rounds rounds the --members members of one group send --messages messages in all, one member after the other; the round
                     is over when every member has every message. Closed loop, as fast as it goes, or one round every --tick.
          room       The same in one room to which --members clients subscribe. What the server drops for a slow one counts as lost.
          direct     --connections clients in pairs write to each other for --seconds, --in-flight messages each without an ack.
          echo       The same, to partners that are never online: the way of a send to its ack. p50, p99, p999 are those of the acks.
          open-loop  --rate messages a second to one group of --members for --seconds, whatever the server does. Latencies count from when a message was due.
          idle       --connections clients sign in and do nothing but ping for --seconds: the server's memory for each.
          storm      --connections clients, each with a backlog of --messages messages of a group of 100, connect at once. storm_seconds: until the last one
                     is live and has all. p50, p99, p999: until a client is live.
          sync       storm, after a restart of the server, so that the store is read: what one client (or --connections) gets of a long backlog.
          slow       open-loop, first with all members reading, then with --slow-percent of them not; the latencies are the others'. p99_ratio = with / without.
          crash      The server (or --kill store: MariaDB) is killed (SIGKILL) --kills times at random moments under full load: pairs, a group with fan-out on
                     write and one with fan-out on read of --members, --in-flight messages a client. Clients come back and send again. At the end a
                     restarted server is read from the first entry on and compared with every ack. Prints its --seed.

        Options (with their defaults)
          --transport tcp|ws|ws-json     tcp
          --store memory|sqlite|mysql    memory. mysql starts a MariaDB server of its own (mariadbd must be installed)
          --fanout write|read            what the server does by default for a group of that size
          --members 500  --messages 500 (storm: 10, sync: 100000)  --rounds 40  --warmup 3 (rounds that are not measured; 0 = none, also in the other scenarios)
          --connections 64 (idle, storm: 10000, sync: 1)  --in-flight 1 (crash: 4)  --rate 200  --seconds 10  --tick 1s  --bytes 100 (of a message's text)
          --slow-percent 10  --kills 50  --kill server|store  --seed N (default: another one each time)
          --device-acks 1s               how often a device tells the server how far it is, if it got anything; --no-device-acks
          --patience 30s                 how long nothing may arrive before the run is given up
          --data FOLDER                  where the store keeps its files (default: a temporary folder that is removed)
          --server-option NAME=VALUE     of the server that is started, may be repeated: Im:MaxBatchMessages=500, Rooms:…, Tcp:…, WebSockets:…, Sqlite:…, MySql:…
          --server ADDRESS               a server that runs already: HOST:PORT for tcp, ws://HOST:PORT/PATH for ws and ws-json (no TLS)
            --pid N                      its process, where it runs on this machine: processor time and memory
            --user u{0}  --token {0}     users' names by number, and their tokens ({0} = the user's name)
            --group ID                   for group, open-loop, slow: an existing group of users 0 … --members - 1
          --json                         the last line of standard output is one object with all figures; what does not apply is null

        Figures
          deliveries                     messages read by a device, the sender's own one too
          p50_ms, p99_ms, p999_ms        from a send to the read by one receiver (every 16th member of groups of 64 and more); see echo and storm above
          last_p50_ms, last_p99_ms       from a send to the read by its last receiver, of every message
          ack_p50_ms, ack_p99_ms         from a send to its ack
          server_cpu_seconds             user and system time of the server's process; store_cpu_seconds: of MariaDB's (SQLite is in the server: 0)
          server_allocated_bytes_…       managed allocations of the server in the measured time / deliveries
          server_rss_bytes_per_connection  growth of the server's resident memory from listening to all signed in, settled, after one forced collection

        Checks: each timeline's seqs are contiguous on each connection; every acked message reaches every member once; all devices see the same message at the
        same seq; each send has one ack, which names the seq at which it was pushed; a sender's messages stand in the order in which they were sent.

        Exit code: 0 clean; 1 something was lost, duplicated, reordered or in error (the first cases are on standard error); 2 wrong usage; 3 the run broke off.
        """;
}
