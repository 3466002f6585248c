// Package backendtest is the conformance suite: the laws that every
// backends.Backend must obey, and the traps that pairing libraries are known
// to set.
//
// A law is a function that returns an error when it is broken, not a test, so
// that the suite itself can be tested: package backends/all plants defects in
// working backends and demands that a law notices.
package backendtest

import (
	"fmt"
	"runtime/debug"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/prop"

	"mpinlab/backends"
)

// Law is something that must hold for a backend.
type Law struct {
	Name string
	// Check returns nil if the law holds or does not concern b.
	Check func(b backends.Backend, e Effort) error
}

// Effort says how hard to try.
type Effort struct {
	// Cases is the number of random cases of each property.
	Cases int
	// Seed makes the random cases repeatable; 0 draws one.
	Seed int64
}

// Laws returns the whole suite.
func Laws() []Law {
	var laws []Law
	for _, group := range [][]Law{infoLaws, scalarLaws, groupLaws, decodeLaws, hashLaws, pairingLaws, fixedLaws, capabilityLaws, programmingLaws} {
		laws = append(laws, group...)
	}
	return laws
}

// Run runs every law on b, each as a subtest.
func Run(t *testing.T, b backends.Backend, e Effort) {
	for _, law := range Laws() {
		t.Run(law.Name, func(t *testing.T) {
			if err := law.Try(b, e); err != nil {
				t.Error(err)
			}
		})
	}
}

// Try is Check with panics turned into errors.
func (l Law) Try(b backends.Backend, e Effort) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return l.Check(b, e)
}

// holds checks a gopter property.
func (e Effort) holds(name string, p gopter.Prop) error {
	seed := e.Seed
	if seed == 0 {
		seed = time.Now().UnixNano()
	}
	params := gopter.DefaultTestParametersWithSeed(seed)
	params.MinSuccessfulTests = max(e.Cases, 1)
	params.MaxShrinkCount = 0
	r := p.Check(params)
	if r.Passed() {
		return nil
	}
	return fmt.Errorf("%s: does not hold (seed %d): %s %v %s", name, seed, r.Status, r.Error, arguments(r))
}

// all checks several named properties in turn.
func (e Effort) all(props ...named) error {
	for _, p := range props {
		if err := e.holds(p.name, p.prop); err != nil {
			return err
		}
	}
	return nil
}

type named struct {
	name string
	prop gopter.Prop
}

func scalars1(b backends.Backend, name string, f func(a backends.Scalar) bool) named {
	return named{name, prop.ForAll(f, Scalars(b))}
}

func scalars2(b backends.Backend, name string, f func(a, c backends.Scalar) bool) named {
	return named{name, prop.ForAll(f, Scalars(b), Scalars(b))}
}

func scalars3(b backends.Backend, name string, f func(a, c, d backends.Scalar) bool) named {
	return named{name, prop.ForAll(f, Scalars(b), Scalars(b), Scalars(b))}
}

// arguments shows what a property failed on.
func arguments(r *gopter.TestResult) string {
	s := "on"
	for _, a := range r.Args {
		if k, ok := a.Arg.(backends.Scalar); ok {
			s += fmt.Sprintf(" %x", k.Bytes())
		} else {
			s += fmt.Sprintf(" %v", a.Arg)
		}
	}
	return s
}
