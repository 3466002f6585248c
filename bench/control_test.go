package bench

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWithControls(t *testing.T) {
	var l log
	named := func(op, backend, via string) Case {
		c := l.fake(op)
		c.Key.Backend, c.Key.Via = backend, via
		return c
	}
	cases := []Case{named("A", "x", "direct"), named("A", "x", "protocol"), named("A", "y", "protocol"), named("B", "y", "direct")}
	names := func(cases []Case) (list []string) {
		for _, c := range cases {
			list = append(list, c.Key.Op+" "+c.Key.Backend+" "+c.Key.Via)
		}
		return list
	}
	one := []string{"A x direct", "A x protocol", "A y protocol", "A x control", "B y direct", "B y control"}
	if have := names(WithControls(cases, false)); !slices.Equal(have, one) {
		t.Errorf("%q", have)
	}
	each := []string{"A x direct", "A x protocol", "A x control", "A y protocol", "A y control", "B y direct", "B y control"}
	if have := names(WithControls(cases, true)); !slices.Equal(have, each) {
		t.Errorf("%q", have)
	}
}

// TestControlsRunAlike: a control takes the same inputs in each round.
func TestControlsRunAlike(t *testing.T) {
	var l log
	r := run(t, WithControls([]Case{l.fake("A")}, false), Options{Samples: 6, Time: 100 * time.Microsecond})
	if len(r.Rows) != 2 || r.Rows[1].Key.Via != ViaControl || !slices.Equal(r.Rows[0].Counts, r.Rows[1].Counts) {
		t.Errorf("%+v", r.Rows)
	}
}

func TestPlanted(t *testing.T) {
	var l log
	c := l.fake("A", func(b *Body) { b.Run = func(int) { spin(20000) } })
	p := Planted(c, 4)
	if p.Key.Via != ViaPlanted || c.Key.Via == ViaPlanted {
		t.Errorf("%v of %v", p.Key, c.Key)
	}
	r := run(t, []Case{c, p}, Options{Samples: 15, Time: time.Millisecond})
	list := Claims(r)
	// Five times the work: found on the busiest machine.
	if len(list) != 1 || !list[0].Claimed || list[0].Ratio < 2 {
		t.Errorf("%+v", list)
	}
}

func TestPrecision(t *testing.T) {
	var l log
	r := run(t, []Case{l.fake("A"), l.fake("B")}, Options{Samples: 6, Time: 20 * time.Microsecond, Precision: 1e9})
	for _, row := range r.Rows {
		if len(row.Samples) != 6 {
			t.Errorf("%d samples, though any precision would do", len(row.Samples))
		}
	}
	if r.Get("precision") != "1e+11 %" {
		t.Errorf("precision %q", r.Get("precision"))
	}

	// A precision that no machine gives ends with the budget.
	last, total := 0, 0
	r = run(t, []Case{l.fake("A"), Planted(l.fake("A"), 0.1)}, Options{
		Samples: 6, Time: 20 * time.Microsecond, Precision: math.SmallestNonzeroFloat64, Budget: 50 * time.Millisecond,
		Progress: func(done, n int, _ string) { last, total = done, n },
	})
	a, b := r.Rows[0], r.Rows[1]
	if len(a.Samples) < 1 || len(a.Samples) != len(b.Samples) || last != total {
		t.Errorf("%d and %d samples, %d of %d steps", len(a.Samples), len(b.Samples), last, total)
	}
	if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.HasPrefix(w, "budget: stopped after ") }) ||
		!slices.ContainsFunc(b.Warnings, func(w string) bool { return strings.HasPrefix(w, "precision: ") }) {
		t.Errorf("warnings %q, %q", r.Warnings, b.Warnings)
	}
}

func TestPace(t *testing.T) {
	steady := Row{Samples: around(12, 1000)}
	disturbed := Row{Samples: slices.Clone(steady.Samples)}
	other := Row{Samples: around(12, 50)}
	disturbed.Samples[4] *= 1.3
	other.Samples[4] *= 1.3
	e := engine{}
	e.results.Rows = []Row{disturbed, other}
	Summarise(&e.results)
	e.warnOfRounds()
	if w := e.results.Warnings; len(w) != 1 || !strings.HasPrefix(w[0], "disturbed: in 1 of 12 rounds everything was slower, by up to 2") {
		t.Errorf("%q", w)
	}
	e.results = Results{Rows: []Row{
		{Samples: slices.Concat(around(10, 100), around(10, 105))},
		{Samples: slices.Concat(around(10, 7), around(10, 7.35))},
	}}
	Summarise(&e.results)
	e.warnOfRounds()
	if w := e.results.Warnings; len(w) != 1 || !strings.HasPrefix(w[0], "drift: in the later half of the rounds everything cost +") {
		t.Errorf("%q", w)
	}
	e.results = Results{Rows: []Row{steady, {Samples: around(12, 3)}}}
	Summarise(&e.results)
	e.warnOfRounds()
	if w := e.results.Warnings; len(w) != 0 {
		t.Errorf("%q", w)
	}
}
