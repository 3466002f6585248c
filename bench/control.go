package bench

import (
	"math"
	"runtime"
	"sync/atomic"
	"time"
)

// WithControls adds A/A controls: cases that do the work of another under a
// second name, via=control. What a control seems to cost more or less than the
// row that it repeats is what the machine and the method add to any difference.
//
// Each block (see Claims) gets one, of its first row that is not direct if
// there is one; with each, every backend of the block gets one. A control comes
// right after the block's or the backend's last row.
func WithControls(cases []Case, each bool) []Case {
	type repeated struct {
		block block
		key   Key
	}
	originals, last := map[repeated]int{}, map[repeated]int{}
	name := func(k Key) repeated {
		r := repeated{block: blockOf(k)}
		if each {
			r.key = k
			r.key.Via = ViaControl
		}
		return r
	}
	for i, c := range cases {
		if repeats(c.Key) {
			continue
		}
		r := name(c.Key)
		if at, ok := originals[r]; !ok || cases[at].Key.Via == "direct" && c.Key.Via != "direct" {
			originals[r] = i
		}
		last[r] = i
	}
	var out []Case
	for i, c := range cases {
		out = append(out, c)
		if r := name(c.Key); !repeats(c.Key) && last[r] == i {
			control := cases[originals[r]]
			control.Key.Via = ViaControl
			out = append(out, control)
		}
	}
	return out
}

// Planted returns a case that does the work of c and then keeps the processor
// busy for a share of that time longer, under the name via=planted: a slowdown
// of known size for checking that one is found.
func Planted(c Case, share float64) Case {
	build := c.Setup
	c.Key.Via = ViaPlanted
	c.Setup = func() (*Body, error) {
		b, err := build()
		if err != nil {
			return nil, err
		}
		planted := *b
		loops := int(math.Round(share * leastTime(b.Prepare, b.Run) / spinCost()))
		planted.Run = func(i int) {
			b.Run(i)
			spin(loops)
		}
		return &planted, nil
	}
	return c
}

// leastTime returns the nanoseconds of a run: the mean over all inputs, at the
// best of some tries.
func leastTime(prepare func(first, n int), run func(int)) float64 {
	return best(Inputs, func() {
		if prepare != nil {
			prepare(0, Inputs)
		}
	}, func() {
		for i := range Inputs {
			run(i)
		}
	})
}

// spinCost returns the nanoseconds of a turn of spin.
func spinCost() float64 {
	const turns = 1 << 20
	return best(turns, func() {}, func() { spin(turns) })
}

// best returns the nanoseconds of work for each of n units, at the best of some
// tries: processor time where the system tells it.
func best(n int, prepare, work func()) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	least := math.Inf(1)
	for range 5 {
		prepare()
		used, told := threadTime()
		start := time.Now()
		work()
		elapsed := time.Since(start)
		if until, _ := threadTime(); told && until > used {
			elapsed = min(elapsed, until-used)
		}
		least = min(least, float64(elapsed)/float64(n))
	}
	return least
}

// spin keeps the processor busy with a chain of multiplications.
func spin(turns int) {
	x := uint64(turns) | 1
	for range turns {
		x *= 0x9e3779b97f4a7c15
	}
	spun.Store(x)
}

// spun keeps the compiler from leaving out what nobody reads.
var spun atomic.Uint64
