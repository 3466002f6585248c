// Package fault breaks parts of a deployment and mends them again: nodes that
// are killed, paused or restarted, connections that are slow, narrow or cut
// (see [Relay]), a store that stands still or is full, clocks that are wrong,
// and a D-TA that lies.
//
// A [Fault] is begun and ended; [Run] does so by the clock and tells what came of
// it. Nothing here needs to be root. Delays are those of bytes on a stream: what
// happens to packets, such as loss, takes network namespaces and netem, which
// [Detect] looks for.
package fault
