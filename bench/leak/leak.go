// Package leak tests whether the time of operations on secrets depends on the
// secret, in the manner of Reparaz, Balasch and Verbauwhede, "Dude, is my code
// constant time?" (DATE 2017).
//
// An operation runs many times with a secret of one of two classes, a fixed one
// or one drawn anew, in random order. All inputs are made before the timed
// part, in the same way for both classes and each in memory of its own. Welch's
// t compares the classes, on all times and on those below several percentiles,
// which cuts off what the machine's other work adds; the greatest |t| counts.
//
// Two comparisons of byte strings are tested with every run: one that ends at
// the first difference must be found, and one in constant time must not.
package leak

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"runtime"
	"runtime/debug"
	"time"

	"mpinlab/backends"
)

// Thresholds for |t|. Below Noise, no difference was seen; under the null
// hypothesis it is reached with probability 7·10⁻⁶ in one comparison. At Certain
// and beyond there is one.
const (
	Noise   = 4.5
	Certain = 10
)

// Verdict is what a |t| says.
type Verdict string

// The three verdicts: below Noise, below Certain, and beyond.
const (
	NotSeen   Verdict = "not seen"
	Suspected Verdict = "suspected"
	Leaks     Verdict = "leaks"
)

// VerdictOf sorts a |t|.
func VerdictOf(t float64) Verdict {
	switch {
	case t < Noise:
		return NotSeen
	case t < Certain:
		return Suspected
	}
	return Leaks
}

// The fixed secrets. A drawn one is as good as any other; an extreme one shows
// code most whose time follows the length or the digits of a secret: the scalar
// 2^(n/2) of the n-bit scalars, or the PIN 0000.
const (
	Drawn   = "drawn"
	Extreme = "extreme"
)

// Planted is the backend under which the two planted comparisons stand, and
// EarlyExit and ConstantTime are their operations.
const (
	Planted      = "planted"
	EarlyExit    = "EarlyExit"
	ConstantTime = "ConstantTime"
)

// Target is an operation on a secret, with a fixed secret to test against.
type Target struct {
	// Op is the operation's name, Backend the backend's id, Suite the suite's,
	// and Fixed the kind of the fixed secret.
	Op, Backend, Suite, Fixed string
	// setup makes the operation with its own source of randomness. It is not
	// timed.
	setup func(rng *rand.ChaCha8) (*trial, error)
}

// trial is an operation that is set up, with room for Options.Batch inputs.
type trial struct {
	// prepare makes input i; the same work is done for either class.
	prepare func(i int, fixed bool) error
	// run does the operation on input i; it alone is timed.
	run func(i int) error
}

// Selection narrows the targets; nil expressions take all.
type Selection struct{ Op, Backend *regexp.Regexp }

// Options say how much is measured. The zero value is ready for use.
type Options struct {
	// Samples is the number of times to take for each target, both classes
	// together; 0 means DefaultSamples. At least MinSamples. A target whose time
	// is certain to depend on the secret after fewer ends there; the planted ones
	// do not.
	Samples int
	// Seed makes secrets and the order of the classes.
	Seed uint64
	// Progress, if not nil, is told how many of total targets are done.
	Progress func(done, total int, label string)
}

const (
	DefaultSamples = 10_000
	MinSamples     = 1_000
	// batch is the number of inputs that are made at a time.
	batch = 250
	// From settleAfter times on a row ends as soon as its |t| is beyond settled,
	// which more of them would not change: looking often does not make chance
	// reach it. Rows in which nothing is seen take all their times.
	settleAfter = 2_000
	settleEvery = 1_000
	settled     = 2 * Certain
)

// ErrSamples: fewer samples than MinSamples.
var ErrSamples = errors.New("too few samples")

// Targets lists the targets on the given backends, the planted ones first. The
// error says what there is where nothing is selected.
func Targets(bs []backends.Backend, sel Selection) ([]Target, error) {
	list := planted()
	n := len(list)
	for _, b := range bs {
		if sel.Backend != nil && !sel.Backend.MatchString(b.Info().ID) {
			continue
		}
		of, err := protocolTargets(b, sel.Op)
		if err != nil {
			return nil, err
		}
		list = append(list, of...)
	}
	if len(list) == n && (sel.Op != nil || sel.Backend != nil) {
		return nil, fmt.Errorf("no operation matches %q on an available backend that matches %q; the operations are %s", sel.Op, sel.Backend, opNames())
	}
	return list, nil
}

// Run tests the targets one after the other. A target that fails leaves a
// warning and no row. The results hold what was measured even if ctx ends, and
// then the error is ctx's.
func Run(ctx context.Context, targets []Target, o Options) (*Results, error) {
	if o.Samples == 0 {
		o.Samples = DefaultSamples
	}
	if o.Samples < MinSamples {
		return nil, fmt.Errorf("%w: %d, of %d at least", ErrSamples, o.Samples, MinSamples)
	}
	r := &Results{Samples: o.Samples, Seed: o.Seed}
	for i, t := range targets {
		if o.Progress != nil {
			o.Progress(i, len(targets), t.Op+" on "+t.Backend)
		}
		times, err := t.measure(ctx, o, uint64(i))
		if ctx.Err() != nil {
			return r, ctx.Err()
		}
		if err != nil {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s on %s was not tested: %v", t.Op, t.Backend, err))
			continue
		}
		r.Rows = append(r.Rows, t.row(times))
	}
	if o.Progress != nil {
		o.Progress(len(targets), len(targets), "")
	}
	return r, nil
}

// times are the nanoseconds of each class, in the order in which they were
// taken.
type times struct{ fixed, random []float64 }

// measure takes the times of a target. The first batch warms caches and is
// dropped. The garbage collector works between the batches only.
func (t Target) measure(ctx context.Context, o Options, stream uint64) (*times, error) {
	rng := source(o.Seed, stream)
	trial, err := t.setup(rng)
	if err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all := &times{}
	var class [batch]bool
	var took [batch]float64
	for left, warm := o.Samples, false; left > 0; {
		n := min(batch, left)
		for i := range n {
			class[i] = rng.Uint64()&1 == 0
			if err := trial.prepare(i, class[i]); err != nil {
				return nil, err
			}
		}
		if err := timeBatch(trial, took[:n]); err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !warm {
			warm = true
			continue
		}
		left -= n
		for i := range n {
			if class[i] {
				all.fixed = append(all.fixed, took[i])
			} else {
				all.random = append(all.random, took[i])
			}
		}
		if n := len(all.fixed) + len(all.random); t.Backend != Planted && n >= settleAfter && n%settleEvery == 0 && math.Abs(compare(all).t) > settled {
			break
		}
	}
	return all, nil
}

// timeBatch runs the prepared inputs and writes down their times.
func timeBatch(t *trial, took []float64) (failed error) {
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for i := range took {
		start := time.Now()
		err := t.run(i)
		took[i] = float64(time.Since(start))
		if err != nil {
			failed = err
		}
	}
	return failed
}

// source is a stream of pseudo-random bytes: the secrets of a test need to be
// spread well, not to be kept.
func source(seed, stream uint64) *rand.ChaCha8 {
	var key [32]byte
	for i := range 8 {
		key[i], key[8+i] = byte(seed>>(8*i)), byte(stream>>(8*i))
	}
	return rand.NewChaCha8(key)
}
