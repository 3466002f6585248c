// Package capacity predicts what a deployment does under a load that nobody can
// make on one machine: a discrete-event model in virtual time, calibrated by a
// short measurement, held against real runs, and used to plan.
//
// # Model
//
// Logins arrive as a Poisson process whose rate follows a [Profile]. Each goes
// through its requests (a permit where it has none for the day, pass 1, pass 2,
// redeeming), one after the other. A request takes its turn, first come, first
// served, with one of the cores of an RPS instance, which instances get in turn
// from the balancer, and holds it for its service time; the network and the
// store come on top as a delay that holds no core. A request that finds its
// core idle pays for waking it, the more the longer it was. A permit also takes its turn with a D-TA.
//
// Redeeming verifies the login: at once, in the request's own time, or with
// [Batching] by workers that share the cores with the requests, under the
// policy of protocol.BatchingVerifier: a free worker takes what is waiting, at
// most its share, at most as many as pay at the present share of bad logins. A
// batch that takes longer than a core's time slice is cut into slices.
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
// requests are mixed with others' on a busy server, shared out by what each kind
// of request takes by itself; how the times of single requests lie; what they take
// longer on a server that was idle, by how long; the client's CPU time, the bytes,
// the calls of the store; and of redeeming in batches, how much comes after the
// verdict, by the rate of answers once a batch is done. [Default] is one such
// measurement, recorded with its machine and date.
//
// A server that has nothing else to do spends as much again on a request, before and
// after its answer, as one that goes on with the next: waking, and going to sleep. That
// is the difference between single requests and many (Wake, Linger), and most of what
// a service at a third of its load spends more on a login than one at its limit.
//
// A machine that others share, as virtual machines do, is a fifth slower at one
// minute than at another. A yardstick, one verification ten times a second on the
// servers' CPU, is timed throughout: costs are those at the speed of the time when
// the cryptography was measured.
//
// [Validate] runs the load generator against a real server in the same
// arrangement and simulates the same arrivals, with the generator's own work, in
// turns on its CPU. The model's costs are those of the calibration, times how much
// longer the yardstick took during the run, from one tenth of a second to the next,
// than during the calibration. Times begin when the generator begins a login: how
// late it does is told apart. What others took of the machine meanwhile is told too.
// [Plan] searches the least number of instances that keeps a promise.
//
// # Limits
//
// Cores of an instance are taken to be worth the same, up to the last: locks,
// caches, memory and the garbage collector's share beyond what one core shows
// are not modelled, nor is the CPU's frequency. The store is a delay with a
// bound on its calls a second, not a queue. A [Calibration] tells how many calls
// a request makes. Failures of machines are not
// modelled: see [Request.Spare]. What the application does after a login is not
// counted.
package capacity
