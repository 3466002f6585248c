// Package measured finds in a result file the rows that the figures and the
// page are about, and ranks backends by them.
package measured

import (
	"math"
	"sort"

	"mpinlab/backends"
	"mpinlab/bench"
)

// The values of bench.Key.Via.
const (
	Direct    = "direct"
	Interface = "interface"
	Protocol  = "protocol"
)

// DefaultDialect is the suite shown where a backend was measured with several.
const DefaultDialect = "rfc9380"

// Backend is a library on a curve.
type Backend struct {
	Library, Curve string
	// Bits is the curve's estimated security level; 0 if the curve is unknown.
	Bits int
}

// ID returns "<library>/<curve>".
func (b Backend) ID() string { return b.Library + "/" + b.Curve }

// Set is a result file, indexed.
type Set struct {
	rows     map[bench.Key]*bench.Row
	keys     []bench.Key // in the file's order
	backends []Backend
	dialects map[Backend]string
}

// New indexes r, which may be nil. Rows without a positive finite median are
// left out; of rows that differ in GOMAXPROCS alone, the one with the fewest
// processors counts.
func New(r *bench.Results) *Set {
	s := &Set{rows: map[bench.Key]*bench.Row{}, dialects: map[Backend]string{}}
	if r == nil {
		return s
	}
	for i := range r.Rows {
		row := &r.Rows[i]
		if !(row.Median > 0) || math.IsInf(row.Median, 0) {
			continue
		}
		key := row.Key
		key.Procs = 0
		if have := s.rows[key]; have != nil {
			if row.Key.Procs < have.Key.Procs {
				s.rows[key] = row
			}
			continue
		}
		s.rows[key] = row
		s.keys = append(s.keys, key)
		s.note(key)
	}
	return s
}

// note records the backend and the dialect of a row.
func (s *Set) note(key bench.Key) {
	b := backendOf(key)
	have, seen := s.dialects[b]
	if !seen {
		s.backends = append(s.backends, b)
		s.dialects[b] = key.Suite
		return
	}
	if key.Suite == "" || have == DefaultDialect {
		return
	}
	if have == "" || key.Suite == DefaultDialect || key.Suite < have {
		s.dialects[b] = key.Suite
	}
}

func backendOf(key bench.Key) Backend {
	b := Backend{Library: key.Backend, Curve: key.Curve}
	if c, err := backends.ParseCurve(key.Curve); err == nil {
		b.Bits = c.Params().SecurityBits
	}
	return b
}

// Backends lists the backends of all rows, in the file's order.
func (s *Set) Backends() []Backend { return s.backends }

// Dialect returns the suite that b's protocol operations are shown for:
// DefaultDialect where it was measured, else the first by name, else "".
func (s *Set) Dialect(b Backend) string { return s.dialects[b] }

// Group returns the row of a group operation, or nil.
func (s *Set) Group(op string, b Backend, via string) *bench.Row {
	return s.rows[bench.Key{Op: op, Curve: b.Curve, Backend: b.Library, Via: via}]
}

// Protocol returns the row of a protocol operation in b's dialect, or nil.
func (s *Set) Protocol(op string, b Backend) *bench.Row {
	return s.rows[bench.Key{Op: op, Suite: s.dialects[b], Curve: b.Curve, Backend: b.Library, Via: Protocol}]
}

// Sized returns the rows of a protocol operation in b's dialect that have a
// size n, by rising size.
func (s *Set) Sized(op string, b Backend) []*bench.Row {
	var list []*bench.Row
	for _, key := range s.keys {
		wanted := bench.Key{Op: op, N: key.N, NName: "n", Suite: s.dialects[b], Curve: b.Curve, Backend: b.Library, Via: Protocol}
		if key == wanted && key.N > 0 {
			list = append(list, s.rows[key])
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Key.N < list[j].Key.N })
	return list
}

// Priced is an operation that was measured both through a layer of this
// project and without it.
type Priced struct {
	Backend Backend
	// Name is the operation with its parameter, for example "MSM/n=64".
	Name            string
	Direct, Layered *bench.Row
}

// Priced lists the operations of every backend that have a direct row and an
// interface or protocol row, in the file's order.
func (s *Set) Priced() []Priced {
	var found []Priced
	for _, key := range s.keys {
		if key.Via != Direct {
			continue
		}
		b := backendOf(key)
		if key.Suite != "" && key.Suite != s.dialects[b] {
			continue
		}
		layered := s.counterpart(key, b)
		if layered == nil {
			continue
		}
		name := bench.Key{Op: key.Op, N: key.N, NName: key.NName}
		found = append(found, Priced{Backend: b, Name: operation(name), Direct: s.rows[key], Layered: layered})
	}
	return found
}

// counterpart finds the layered row of a direct one. A direct protocol
// operation may name its dialect or not.
func (s *Set) counterpart(key bench.Key, b Backend) *bench.Row {
	key.Via = Interface
	if row := s.rows[key]; row != nil {
		return row
	}
	key.Via = Protocol
	if key.Suite == "" {
		key.Suite = s.dialects[b]
	}
	return s.rows[key]
}

// operation returns the name of the operation alone: "MSM/n=64".
func operation(key bench.Key) string {
	name := key.String()
	return name[len("Benchmark") : len(name)-len("-0")]
}

// Samples returns the smallest and largest number of samples of the rows.
func Samples(rows []*bench.Row) (fewest, most int) {
	for i, row := range rows {
		n := len(row.Samples)
		if i == 0 || n < fewest {
			fewest = n
		}
		most = max(most, n)
	}
	return fewest, most
}

// HalfWidths returns the relative half-widths of the rows' 95 % intervals in
// ascending order, and the number of rows without an interval.
func HalfWidths(rows []bench.Row) (widths []float64, without int) {
	for i := range rows {
		e := Of(&rows[i])
		if !e.HasInterval() || e.Mid <= 0 {
			without++
			continue
		}
		widths = append(widths, e.HalfWidth())
	}
	sort.Float64s(widths)
	return widths, without
}
