package bench

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"mpinlab/backends"
	"mpinlab/bench/direct"
	"mpinlab/bench/inputs"
	"mpinlab/protocol"
)

// Operation is an entry of the catalogue: what a row's name means.
type Operation struct {
	Name string
	// Doc says what one unit of it does, and what is at hand beforehand.
	Doc string
}

// Operations lists the catalogue in the order in which it is shown.
func Operations() []Operation {
	var ops []Operation
	for _, o := range groupOps {
		ops = append(ops, o.Operation)
	}
	for _, o := range allProtocolOps() {
		if ops[len(ops)-1] != o.Operation { // not one more size of it
			ops = append(ops, o.Operation)
		}
	}
	return ops
}

// Selection narrows the catalogue. Nil expressions select everything.
type Selection struct {
	// Op matches the operation's name, without its size parameter.
	Op *regexp.Regexp
	// Backend matches the backend's ID.
	Backend *regexp.Regexp
	// Via matches "direct", "interface" or "protocol".
	Via *regexp.Regexp
	// Suites are the dialects of the protocol operations; none means each
	// backend's first, which is rfc9380 where it serves that.
	Suites []protocol.Dialect
	// Sweeps selects among the sweeps instead of the catalogue.
	Sweeps bool
}

func (s *Selection) takes(re *regexp.Regexp, v string) bool { return re == nil || re.MatchString(v) }

// takesDialect reports whether the n-th suite of a backend's curve is selected.
func (s *Selection) takesDialect(id protocol.SuiteID, first bool) bool {
	if len(s.Suites) == 0 {
		return first
	}
	return slices.Contains(s.Suites, id.Dialect)
}

// inputSeed makes the inputs of the catalogue; they are the same in every run.
const inputSeed = 2026

// Catalogue returns the selected cases on the given backends. The error says
// what there is to select where nothing is.
func Catalogue(bs []backends.Backend, sel Selection) ([]Case, error) {
	var cases []Case
	var backendFound bool
	groups := map[backends.Curve]func() *inputs.Group{}
	for _, b := range bs {
		if !sel.takes(sel.Backend, b.Info().ID) {
			continue
		}
		backendFound = true
		curve := b.Info().Curve
		if groups[curve] == nil {
			groups[curve] = sync.OnceValue(func() *inputs.Group { return inputs.NewGroup(b, inputSeed) })
		}
		c := &collector{b: b, sel: sel, group: groups[curve]}
		c.loaded = sync.OnceValue(func() *loaded { return load(b, c.group()) })
		if !sel.Sweeps {
			c.groupCases()
		}
		if err := c.protocolCases(); err != nil {
			return nil, err
		}
		cases = append(cases, c.cases...)
	}
	if !backendFound {
		var ids []string
		for _, b := range bs {
			ids = append(ids, b.Info().ID)
		}
		return nil, fmt.Errorf("no available backend matches %q; there are %s", sel.Backend, strings.Join(ids, ", "))
	}
	if len(cases) == 0 {
		var names []string
		for _, o := range Operations() {
			names = append(names, o.Name)
		}
		if sel.Sweeps {
			names = nil
			for _, o := range sweeps {
				names = append(names, o.Name)
			}
		}
		return nil, fmt.Errorf("no operation matches %q; there are %s", sel.Op, strings.Join(names, ", "))
	}
	return cases, nil
}

// collector gathers the cases of one backend.
type collector struct {
	b     backends.Backend
	sel   Selection
	group func() *inputs.Group
	// loaded is group as elements of b.
	loaded func() *loaded
	cases  []Case
}

// key is the key of an operation on the collector's backend.
func (c *collector) key(op, via string) Key {
	library, curve, _ := strings.Cut(c.b.Info().ID, "/")
	return Key{Op: op, Curve: curve, Backend: library, Via: via}
}

// add adds a case if it is selected. make builds the operation, want gives
// the bytes that result i must have, computed by another route.
func (c *collector) add(k Key, concurrent bool, build func() (*direct.Op, func(i int) []byte, error)) {
	c.addRuns(k, 0, concurrent, build)
}

// addRuns is add for an operation of which one run does several units.
func (c *collector) addRuns(k Key, perRun int, concurrent bool, build func() (*direct.Op, func(i int) []byte, error)) {
	if !c.sel.takes(c.sel.Op, k.Op) || !c.sel.takes(c.sel.Via, k.Via) {
		return
	}
	c.cases = append(c.cases, Case{Key: k, PerRun: perRun, Concurrent: concurrent, Setup: func() (*Body, error) {
		op, want, err := build()
		if err != nil {
			return nil, err
		}
		return checked(op, want), nil
	}})
}

// checked makes a Body that compares every result kept with what is wanted.
func checked(op *direct.Op, want func(i int) []byte) *Body {
	var ran [Inputs]bool
	var wanted [Inputs][]byte
	return &Body{
		Prepare: op.Prepare,
		Run: func(i int) {
			i %= Inputs
			ran[i] = true
			op.Run(i)
		},
		Check: func() error {
			for i := range ran {
				if !ran[i] {
					continue
				}
				ran[i] = false
				if wanted[i] == nil {
					wanted[i] = want(i)
				}
				if got := op.Result(i); !bytes.Equal(got, wanted[i]) {
					return fmt.Errorf("result %d is %.40x, not %.40x", i, got, wanted[i])
				}
			}
			return nil
		},
	}
}
