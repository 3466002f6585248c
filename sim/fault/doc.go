// Package fault breaks parts of a deployment and mends them again: nodes that
// are killed, paused or restarted, connections that are slow, narrow or cut
// (see [Relay]) or lose packets (see [Line]), a store that stands still (see
// [Gate]) or whose disk is full (see [Disk]), clocks that are wrong, and a D-TA
// that lies.
//
// A [Fault] is begun and ended; [Run] does so by the clock and tells what came of
// it. What is made for faults has no name in the system, so that nothing of it
// is left behind when this process ends, also by kill -9.
//
// Lines and disks need root on Linux, gates and the pausing of processes Linux;
// the rest needs nothing. [Detect] tells what there is.
package fault
