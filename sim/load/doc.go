// Package load puts a deployment under load as a scenario says, and tells
// honestly what its users would have waited for.
//
// # Open loop
//
// Arrivals come from a clock and a seed alone (see [Stage.Arrivals]): nobody
// waits for an answer before the next one arrives. The response time of an
// operation counts from the moment at which it was to start, not from when the
// generator came to start it, so that a server that stands still is charged with
// everybody who would have come meanwhile. Queue time (from the intended to the
// actual start) and service time are kept apart, operations that started late
// are counted, and those that never started, because more than the scenario's
// in-flight bound were under way, are an outcome of their own. [ClosedLoop]
// computes what a closed-loop generator would have reported of the same run.
//
// [Run] runs a scenario on a deployment of its own; [Stand] keeps one for several loads.
//
// # Verdicts
//
// Every virtual user knows whether his PIN is right, and how many failures the
// deployment must have counted, so that every verdict is checked: a wrong PIN
// that is refused is a success of the system, one that is accepted, or a right
// one that is refused, is counted as wrong and fails the run.
//
// # Cost of the clients
//
// With cost real the virtual users are those of package client, with all that a
// client computes and checks. With precomputed, the first half of the proofs is
// made before the run: x, U, U_T and s·A + s·A_T lie ready (protocol.Prover),
// and when the server's challenge y comes, V = −(x + y)·(s·A + s·A_T) is one
// multiplication. Every x serves one login and every y is the server's own, drawn
// when it saw U, so that what the server gets is what a real client would have
// sent, it has the same work with it, and the verdict means the same. What is
// left out is the clients' work, which in the field is done on machines of their
// own: their own half of hashing, permits and pass 1. How much CPU the generator
// takes beside the servers is in every result.
package load
