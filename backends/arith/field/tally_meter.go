//go:build meter

package field

import "sync/atomic"

var tallies [kinds]atomic.Int64

func tally(kind int) { tallies[kind].Add(1) }

// Counts are operations in prime fields.
type Counts struct{ Mul, Sqr, Inv, Sqrt, Legendre, Add int64 }

// Tally returns the operations of all prime fields since the program began. It
// is there under the build tag "meter" only.
func Tally() Counts {
	return Counts{
		Mul: tallies[multiplication].Load(), Sqr: tallies[squaring].Load(), Inv: tallies[inversion].Load(),
		Sqrt: tallies[root].Load(), Legendre: tallies[symbol].Load(), Add: tallies[addition].Load(),
	}
}
