// Package capacity predicts what a deployment does under a load that nobody can
// make on one machine: a discrete-event model in virtual time, calibrated by a
// short measurement, held against real runs, and used to plan.
//
// # Model
//
// Logins arrive as a Poisson process whose rate follows a [Profile]. Each goes
// through its requests (a permit where it has none for the day, pass 1, pass 2,
// redeeming), one after the other. A request takes its turn with one of the cores of an
// RPS instance, which instances get in turn from the balancer, and holds it for its
// service time; the network and the store come on top as a delay that holds no core. A
// permit also takes its turn with a D-TA.
//
// Turns are those of Go's scheduler and not first come, first served. A core does next
// what the task before it has woken last, then what is ready, then what all cores share,
// workers that have given way among it; it looks at the network when there is nothing
// else, takes in up to 128 events, the last to come first (its list is a stack), and looks
// again when all of them have had a turn. Every 61st turn what is shared comes first. Go's
// monitor thread, which sleeps while a process has no work, looks every 20 µs for the first
// milliseconds that it has some: on a server of one core, on a virtual machine, a login
// then costs more than under load. Where no core has waited at the network for
// 10 ms the monitor looks. A core that finds nothing to do takes time to come to rest, which
// nobody waits for but who comes meanwhile, and one that was idle for longer takes longer to
// wake.
//
// Redeeming verifies the login: at once, in the request's own time, or with
// [Batching] by workers that share the cores with the requests, under the
// policy of protocol.BatchingVerifier: a free worker takes what is waiting, at
// most its share, at most as many as pay at the present share of bad logins. A
// batch that takes longer than a core's time slice is cut into slices, and one for which
// the backend makes goroutines, as gnark-crypto does for its sums, gives way to what is
// ready when it makes them.
//
// Clients give up after a time-out and begin anew after a pause, some times;
// what they gave up goes on holding cores. That is how an overloaded service
// collapses, and a model without it would not show it.
//
// Time is virtual, everything follows from the seed, and nothing is allocated
// for an event: ten million logins take seconds.
//
// # Where the figures come from
//
// [Calibrate] measures verification alone and in batches in this process, with the
// other CPUs idle and busy, and on a real deployment, whose servers have one CPU
// and the client the other, of every request: the RPS's CPU time for a login whose
// requests are mixed with others' on a busy server that has grown warm, shared out by what
// each kind of request takes by itself; how much less it is while fewer logins are under
// way, whose connections and stacks are still in the caches; what logins take more that
// come one after the other, with the time of the monitor's looks, the rest of which is coming
// to rest; how the times of single requests lie; what they take longer on a server that was
// idle, by how long; the client's CPU time, the bytes, the calls of the store; and of redeeming
// in batches, how much comes after the verdict, by the rate of answers once a batch is
// done. [Default] is one such measurement, recorded with its machine and date.
//
// A machine that others share, as virtual machines do, has at least two speeds, and
// changes between them every few milliseconds. A process beside takes the pulse of the
// servers' and the clients' CPU throughout ([Pulse]), which tells whether somebody works on
// the other half of the core, so that work takes 1.2 to 1.9 times as long, which is measured
// of logins one by one and in batches, and whether the CPU is slow besides, down to a
// twentieth ([Scale]). Costs are those at the mean speed of the calibration. CPUs without
// work poll meanwhile instead of sleeping, where that is allowed: a virtual one that sleeps
// is woken by way of the hypervisor.
//
// [Validate] runs the load generator against a real server in the same
// arrangement and simulates the same arrivals, with the generator's own work, whose
// process has the same scheduler on its CPU, both CPUs as fast at each time as their pulse
// says they were. All loads of a round are put on one deployment, the greatest first, and
// before each of them it is measured what the server bears. Below saturation arrivals come in
// the server's own time, so many for what its CPU does, by its pulse: on a machine that
// others share, where the same rate is a light load in one second and an overload in the
// next, a load stays the share that it is. In the model they are spread so that it
// has the same share of what it bears as the server of what it does right before and
// after: at the same rate a model whose throughput is off by a percent is at another load,
// which is 15 % of response time at 80 % in batches. Times begin when the generator begins a
// login: how late it does is told apart. What others took of the machine meanwhile is told
// too. Figures are medians of the rounds, deviations those of each round's own.
// [Plan] searches the least number of instances that keeps a promise.
//
// # Limits
//
// Near saturation a machine's own changes, of a percent or two, are many of response
// time, and a round or three say little about a model there. In the six rounds of the
// recorded validation, on an Intel Xeon inside another virtual machine, all of whose cores
// fall to a twentieth of their speed every few seconds, the server bore 475 to 864 logins a
// second one by one; the model is within 4 % of what it bore, within a tenth of all
// percentiles but one, and 19.5 % short of the median at 80 % one by one, where it takes 3 to
// 5 % less of the core than the server. How much longer work takes on a shared core is told
// with an error of a sixth by one calibration.
//
// Cores of an instance are taken to be worth the same, up to the last: locks,
// caches, memory and the garbage collector's share beyond what one core shows
// are not modelled, and a plan's cores have one speed, the mean of the calibration, and
// caches that are cold, those of a server with hundreds of logins under way. Of a machine
// whose clock changes by more than a quarter the pulse takes low clocks for shared cores. The
// store is a delay with a bound on its calls a second, not a queue. A [Calibration] tells how many calls
// a request makes. Failures of machines are not
// modelled: see [Request.Spare]. What the application does after a login is not
// counted.
package capacity
