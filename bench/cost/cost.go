// Package cost measures what operations cost beyond time: memory while they
// run, memory of a resident identity, the work of the garbage collector,
// instructions and cycles where the kernel counts them, and the machine code of
// each backend in the program.
//
// The results are in the Go benchmark format with units of their own, each
// declared by a unit line.
package cost

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"

	"mpinlab/backends"
	"mpinlab/bench"
	"mpinlab/protocol"
)

// The units. All are better the lower.
const (
	// Allocated is the heap bytes that an operation allocates.
	Allocated = "B/op"
	// Allocations counts them.
	Allocations = "allocs/op"
	// Peak is by how much the memory in use, heap and stack, grows until the end
	// of an operation in a goroutine of its own if nothing is collected. Memory
	// of C is not in it.
	Peak = "peak-B/op"
	// Collector is the processor time of the garbage collector for an operation,
	// at GOGC=100 in a program that does nothing else: see measureCollector.
	Collector = "gc-ns/op"
	// Instructions and Cycles are those in user space.
	Instructions = "instructions/op"
	Cycles       = "cycles/op"
	// Resident is the heap bytes of an identity in an IdentityCache.
	Resident = "resident-B/identity"
	// Text is the bytes of machine code.
	Text = "text-B"
)

// units lists all of them with what they are, in the order of the columns.
var units = []string{Allocated, Allocations, Peak, Collector, Instructions, Cycles, Resident, Text}

// The operations that are measured, as the catalogue names them, and the names
// of the rows about a backend as a whole.
const (
	operations = `^(ServerVerify|ClientPass1|ClientPass2|IssueClientShare)$`
	Identities = "Identity"
	Code       = "Code"
)

// Row is the costs of one operation of one backend, by unit. What could not be
// measured is not in it.
type Row struct {
	Key    bench.Key
	Values map[string]float64
}

// Results are the content of a file.
type Results struct {
	Rows []Row
	// Notes say what was not measured, and why.
	Notes []string
}

// Measure measures on the given backends. A backend that fails gives an error,
// which names it; ctx ends the work between two rows.
func Measure(ctx context.Context, bs []backends.Backend, progress func(done, total int, label string)) (*Results, error) {
	cases, err := bench.Catalogue(bs, bench.Selection{Op: regexp.MustCompile(operations), Via: regexp.MustCompile("^protocol$")})
	if err != nil {
		return nil, fmt.Errorf("cost: %w", err)
	}
	r := &Results{}
	counters, err := openCounters()
	if err != nil {
		r.Notes = append(r.Notes, "instructions and cycles: "+err.Error())
	} else {
		defer counters.close()
	}
	total := len(cases) + len(bs)
	for i, c := range cases {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		c.Key.Procs = 1
		body, err := c.Setup()
		if err != nil {
			return nil, fmt.Errorf("cost: %v: %w", c.Key, err)
		}
		row := Row{Key: c.Key, Values: map[string]float64{}}
		measureMemory(body, row.Values)
		measureCollector(row.Values)
		if counters != nil {
			counters.measure(body, row.Values)
		}
		if err := body.Check(); err != nil {
			return nil, fmt.Errorf("cost: %v: wrong result: %w", c.Key, err)
		}
		r.Rows = append(r.Rows, row)
		if progress != nil {
			progress(i+1, total, c.Key.String())
		}
	}
	for i, b := range bs {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		row, err := measureIdentities(b)
		if err != nil {
			return nil, fmt.Errorf("cost: identities of %s: %w", b.Info().ID, err)
		}
		if row != nil {
			r.Rows = append(r.Rows, *row)
		}
		if progress != nil {
			progress(len(cases)+i+1, total, b.Info().ID)
		}
	}
	sizes, err := codeSizes(bs)
	if err != nil {
		r.Notes = append(r.Notes, "code size: "+err.Error())
	}
	for _, b := range bs {
		if size, ok := sizes[b.Info().ID]; ok {
			k := keyOf(b, Code)
			r.Rows = append(r.Rows, Row{Key: k, Values: map[string]float64{Text: float64(size)}})
		}
	}
	return r, nil
}

func keyOf(b backends.Backend, op string) bench.Key {
	library, curve, _ := strings.Cut(b.Info().ID, "/")
	return bench.Key{Op: op, Curve: curve, Backend: library, Procs: 1}
}

// each runs a body once on every input.
func each(body *bench.Body) {
	if body.Prepare != nil {
		body.Prepare(0, bench.Inputs)
	}
	for i := range bench.Inputs {
		body.Run(i)
	}
}

// measureMemory runs each input in a goroutine of its own that stays until all
// are done, so that their stacks are counted, with the collector off.
func measureMemory(body *bench.Body, values map[string]float64) {
	each(body) // what is allocated once, at first use, is no cost of an operation
	if body.Prepare != nil {
		body.Prepare(0, bench.Inputs)
	}
	debug.FreeOSMemory()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	stay, finished := make(chan struct{}), make(chan struct{})
	runtime.ReadMemStats(&before)
	for i := range bench.Inputs {
		go func() {
			body.Run(i)
			finished <- struct{}{}
			<-stay
		}()
		<-finished
	}
	runtime.ReadMemStats(&after)
	close(stay)
	const n = bench.Inputs
	values[Allocated] = float64(after.TotalAlloc-before.TotalAlloc) / n
	values[Allocations] = float64(after.Mallocs-before.Mallocs) / n
	values[Peak] = max(0, float64(after.HeapInuse+after.StackInuse)-float64(before.HeapInuse+before.StackInuse)) / n
}

// collections is how many collections are watched.
const collections = 15

// measureCollector computes the collector's work for an operation from the
// bytes that it allocates, the processor time of a collection (the median of
// some) and the bytes that a program with this live heap allocates from one
// collection to the next. Watching the collections that a loop of operations
// brings about would take seconds for operations that allocate little.
func measureCollector(values map[string]float64) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	runtime.GC()
	var times []float64
	for range collections {
		before := collected()
		runtime.GC()
		times = append(times, collected()-before)
	}
	slices.Sort(times)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.NextGC > m.HeapAlloc {
		values[Collector] = 1e9 * times[len(times)/2] * values[Allocated] / float64(m.NextGC-m.HeapAlloc)
	}
}

// collected returns the processor seconds of the collector so far, without what
// it did on processors that were idle.
func collected() (sum float64) {
	s := []metrics.Sample{
		{Name: "/cpu/classes/gc/mark/assist:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/dedicated:cpu-seconds"}, {Name: "/cpu/classes/gc/pause:cpu-seconds"},
	}
	metrics.Read(s)
	for _, x := range s {
		if x.Value.Kind() == metrics.KindFloat64 {
			sum += x.Value.Float64()
		}
	}
	return sum
}

// population is how many identities are put into a cache.
const population = 1024

// measureIdentities fills a cache of the backend's first suite; nil where it
// has none.
func measureIdentities(b backends.Backend) (*Row, error) {
	for _, id := range protocol.SuiteIDs() {
		if id.Curve != b.Info().Curve {
			continue
		}
		suite, err := protocol.New(id, b)
		if err != nil {
			return nil, err
		}
		n := population
		if strings.HasPrefix(b.Info().ID, "reference/") {
			n /= 8 // slow
		}
		size, err := identitySize(suite, n)
		if err != nil {
			return nil, err
		}
		k := keyOf(b, Identities)
		k.Suite = id.Dialect.String()
		return &Row{Key: k, Values: map[string]float64{Resident: size}}, nil
	}
	return nil, nil
}

func identitySize(s *protocol.Suite, n int) (float64, error) {
	cache, err := s.NewIdentityCache(n)
	if err != nil {
		return 0, err
	}
	var before, after runtime.MemStats
	if _, err := cache.Get([]byte("first")); err != nil {
		return 0, err
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		if _, err := cache.Get(fmt.Appendf(nil, "user%06d@example.com", i)); err != nil {
			return 0, err
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(cache)
	return max(0, float64(after.HeapAlloc)-float64(before.HeapAlloc)) / float64(n), nil
}
