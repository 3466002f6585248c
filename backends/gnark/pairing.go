package gnark

import (
	"fmt"
	"sync"

	"mpinlab/backends"
)

// operands copies the pairs out of their interfaces.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) operands(p []backends.G1, q []backends.G2) ([]A, []B) {
	if len(p) != len(q) {
		panic(fmt.Sprintf("backends: %s: a pairing product of %d elements of G1 and %d of G2", b.info.ID, len(p), len(q)))
	}
	ps, qs := make([]A, len(p)), make([]B, len(q))
	for i := range p {
		ps[i], qs[i] = *b.unwrap1(p[i]), *b.unwrap2(q[i])
	}
	return ps, qs
}

// PairingCheck implements backends.Backend. gnark-crypto leaves pairs with an
// identity out by itself.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) PairingCheck(p []backends.G1, q []backends.G2) bool {
	ps, qs := b.operands(p, q)
	return len(ps) == 0 || must(b.check(ps, qs))
}

// Pair implements backends.Pairer.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) Pair(p []backends.G1, q []backends.G2) backends.GT {
	z := &target[T, S, PT, PS]{group: b.inGT}
	ps, qs := b.operands(p, q)
	if len(ps) == 0 {
		PT(&z.v).SetOne()
	} else {
		z.v = must(b.pair(ps, qs))
	}
	return z
}

// unreduced is the value of a Miller loop.
type unreduced[T any] struct{ v T }

// MillerLoop implements backends.Splitter.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) MillerLoop(p []backends.G1, q []backends.G2) backends.Unreduced {
	f := new(unreduced[T])
	ps, qs := b.operands(p, q)
	if len(ps) == 0 {
		PT(&f.v).SetOne()
	} else {
		f.v = must(b.miller(ps, qs))
	}
	return f
}

// FinalExp implements backends.Splitter.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) FinalExp(f backends.Unreduced) backends.GT {
	u, ok := f.(*unreduced[T])
	if !ok {
		backends.Mixed(b.info.ID, f)
	}
	v := u.v // FinalExponentiation takes a pointer
	return &target[T, S, PT, PS]{b.inGT, b.finalExp(&v)}
}

// fixedCheck is a product with prepared elements of G2.
type fixedCheck[A, B, S, T any, PA affine[A], PB affine[B], PS field[S], PT unit[T]] struct {
	b        *adapter[A, B, S, T, PA, PB, PS, PT]
	identity []bool // which of the prepared elements are
	check    func([]*A) bool
}

// FixG2 implements backends.FixedG2. What is kept for an element, the lines of
// its Miller loop, takes 24 KB on bls12-381 and 72 KB on bw6-761.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) FixG2(q ...backends.G2) backends.FixedCheck {
	qs, identity := make([]B, len(q)), make([]bool, len(q))
	for i, o := range q {
		qs[i] = *b.unwrap2(o)
		identity[i] = o.IsIdentity()
	}
	return &fixedCheck[A, B, S, T, PA, PB, PS, PT]{b, identity, b.fix(qs)}
}

// PairingCheck implements backends.FixedCheck.
func (f *fixedCheck[A, B, S, T, PA, PB, PS, PT]) PairingCheck(p ...backends.G1) bool {
	if len(p) != len(f.identity) {
		panic(fmt.Sprintf("backends: %s: %d elements of G1 for %d prepared elements of G2", f.b.info.ID, len(p), len(f.identity)))
	}
	ps := make([]*A, len(p))
	for i, o := range p {
		if v := f.b.unwrap1(o); !f.identity[i] && !PA(v).IsInfinity() {
			ps[i] = v
		}
	}
	return f.check(ps)
}

// fixed joins a curve's PrecomputeLines and PairingCheckFixedQ. The function
// that it returns prepares elements of G2; the function that this one returns
// in turn checks products with them, leaving out pairs whose first element is
// nil, and may be called concurrently.
//
// PairingCheckFixedQ evaluates the lines at the points of G1 in place and so
// destroys the table that it is given: each call gets a copy of its own.
func fixed[A, B, L any](lines func(B) L, check func([]A, []L) (bool, error)) func([]B) func([]*A) bool {
	type scratch struct {
		points []A
		lines  []L
	}
	return func(q []B) func([]*A) bool {
		prepared := make([]L, len(q))
		for i := range q {
			prepared[i] = lines(q[i])
		}
		pool := sync.Pool{New: func() any {
			return &scratch{make([]A, len(q)), make([]L, len(q))}
		}}
		return func(p []*A) bool {
			s := pool.Get().(*scratch)
			defer pool.Put(s)
			n := 0
			for i, v := range p {
				if v != nil {
					s.points[n], s.lines[n] = *v, prepared[i]
					n++
				}
			}
			return n == 0 || must(check(s.points[:n], s.lines[:n]))
		}
	}
}
