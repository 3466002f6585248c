package plots

import (
	"mpinlab/bench"
	"mpinlab/plots/internal/measured"
)

const (
	clientName  = "client"
	clientTitle = "Client cost of the two passes of a login, by backend and curve"
)

// Client draws what a login costs the client in its two passes.
func Client(d *Data) (*Figure, error) {
	pass := func(op string) func(*measured.Set, measured.Backend) *bench.Row {
		return func(s *measured.Set, b measured.Backend) *bench.Row { return s.Protocol(op, b) }
	}
	f, err := costDots(d, []series{
		{"pass 1: identity and U", glyph{shape: circle, color: blue}, pass("ClientPass1")},
		{"pass 2: V", glyph{shape: square, color: vermillion}, pass("ClientPass2")},
	}, true, "no rows for ClientPass1 or ClientPass2 via=protocol")
	if err != nil {
		return nil, err
	}
	f.Caption = "No pairing is computed on the client's side. " +
		"These costs are of the machine that was measured, not of a telephone. Intervals can be narrower than the dots." + f.Caption
	return f, nil
}
