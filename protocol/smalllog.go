package protocol

import (
	"hash/maphash"
	"math"

	"mpinlab/backends"
)

// smallLog finds the e in [0, most] with f^e = d, for most > 0 and f not one,
// if there is such an e, by baby steps and giant steps (Shanks 1971): a table of f^(k·m) for k = 1, 2, …, and then
// d, d·f, d·f², … until d·f^i is in it, where e = k·m − i. It takes
// multiplications and encodings only: what the libraries ask for an inversion
// in GT lies between 0.2 and 650 µs. Kangaroos (Pollard 1978) need no table, but
// measured 1.7 to 2.8 times as long on gnark's bls12-381 and bn254, and miss some.
//
// The table holds 64-bit hashes under a key of its own, and every hit is
// confirmed, so that the answer is exact. A true hit would be overlooked only
// if the hashes of two powers in the table were equal, a chance below 2^-37
// for the greatest range.
//
// Variable-time in e.
func smallLog(f, d backends.GT, most uint64) (e uint64, ok bool) {
	if d.IsOne() {
		return 0, true
	}
	// The table is always filled and the walk ends half-way on average, hence a
	// walk longer than the table. At most it takes 2.03·√most multiplications,
	// 1.5 % over the least, and on average 1.44·√most.
	m := uint64(math.Ceil(math.Sqrt(1.4 * float64(most))))
	rows := (most + m - 1) / m
	seed := maphash.MakeSeed()
	key := func(g backends.GT) uint64 { return maphash.Bytes(seed, g.Bytes()) }

	table := make(map[uint64]uint32, rows)
	giant := power(f, m)
	for k, g := uint64(1), giant; ; k++ {
		table[key(g)] = uint32(k)
		if k == rows {
			break
		}
		g = g.Mul(giant)
	}

	for i, at := uint64(0), d; ; i++ {
		if k := uint64(table[key(at)]); k != 0 && k*m-i <= most && at.Equal(power(giant, k)) {
			return k*m - i, true
		}
		if i == m-1 {
			return 0, false
		}
		at = at.Mul(f)
	}
}

// power returns g^n for n > 0. It is here because Exp treats every exponent as
// one as long as r in most libraries.
func power(g backends.GT, n uint64) backends.GT {
	var p backends.GT
	for ; ; n >>= 1 {
		if n&1 == 1 {
			if p == nil {
				p = g
			} else {
				p = p.Mul(g)
			}
		}
		if n <= 1 {
			return p
		}
		g = g.Mul(g)
	}
}
