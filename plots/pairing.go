package plots

import (
	"mpinlab/bench"
	"mpinlab/plots/internal/measured"
)

const (
	pairingName  = "pairing"
	pairingTitle = "Cost of a pairing and of a pairing check, by backend and curve"
)

// Pairing draws the cost of one pairing, and of the check that a product of
// two pairings is one, without and with prepared G2 arguments.
func Pairing(d *Data) (*Figure, error) {
	group := func(op string) func(*measured.Set, measured.Backend) *bench.Row {
		return func(s *measured.Set, b measured.Backend) *bench.Row { return s.Group(op, b, measured.Interface) }
	}
	f, err := costDots(d, []series{
		{"check of a product of two", glyph{shape: circle, color: blue}, group("PairCheck2")},
		{"the same, both G2 arguments prepared", glyph{shape: square, color: vermillion}, group("PairCheck2Fixed")},
		{"one pairing", glyph{shape: triangle, color: green}, group("Pair")},
	}, false, "no rows for Pair, PairCheck2 or PairCheck2Fixed via=interface")
	if err != nil {
		return nil, err
	}
	f.Caption = "M-Pin's server checks one product of two pairings whose G2 arguments never change, so a backend that can prepare them gains. " +
		"Intervals are drawn over the dots and can be narrower than these; – is an operation that the backend does not offer." + f.Caption
	return f, nil
}
