package gnark

import (
	"math/big"
	"math/bits"
)

// summand is a jacobian of which tables can be made.
type summand[A, J any] interface {
	jacobian[A, J]
	FromAffine(*A) *J
	Double(*J) *J
	AddAssign(*J) *J
}

const (
	// digitBits is the width of the signed digits, which are odd and below
	// 2^(digitBits − 1), and oddMultiples the number of them for each point.
	digitBits    = 4
	oddMultiples = 1 << (digitBits - 2)
)

// interleaved returns a function for Σ k[i]·p[i] that doubles for all points
// together and adds odd multiples of them out of tables (Straus, "Addition
// chains of vectors", 1964, with digits in non-adjacent form; Möller,
// "Algorithms for multi-exponentiation", SAC 2001). toAffine makes points affine
// with one inversion. Any points will do, also outside the subgroup.
// Variable-time.
func interleaved[A, J any, PA fromJacobian[A, J], PJ summand[A, J]](toAffine func([]J) []A) func([]A, []*big.Int) A {
	return func(points []A, ks []*big.Int) A {
		multiples := make([]J, len(points)*oddMultiples)
		digits := make([][]int8, len(points))
		length := 0
		for i := range points {
			table := multiples[i*oddMultiples : (i+1)*oddMultiples]
			var twice J
			PJ(&twice).Double(PJ(&table[0]).FromAffine(&points[i]))
			for j := 1; j < oddMultiples; j++ {
				table[j] = table[j-1]
				PJ(&table[j]).AddAssign(&twice)
			}
			digits[i] = signedDigits(ks[i])
			length = max(length, len(digits[i]))
		}
		tables := toAffine(multiples)
		var sum J
		for at := length - 1; at >= 0; at-- {
			PJ(&sum).DoubleAssign()
			for i, d := range digits {
				switch {
				case at >= len(d) || d[at] == 0:
				case d[at] > 0:
					PJ(&sum).AddMixed(&tables[i*oddMultiples+int(d[at])/2])
				default:
					var minus A
					PA(&minus).Neg(&tables[i*oddMultiples+int(-d[at])/2])
					PJ(&sum).AddMixed(&minus)
				}
			}
		}
		var q A
		PA(&q).FromJacobian(&sum)
		return q
	}
}

// signedDigits writes k ≥ 0 as Σ d[i]·2^i, where of any digitBits successive
// digits at most one is not zero.
func signedDigits(k *big.Int) []int8 {
	words := k.Bits()
	digits := make([]int8, k.BitLen()+1) // the topmost takes the last carry
	window := func(at, n int) int {
		w, shift := at/bits.UintSize, at%bits.UintSize
		v := big.Word(0)
		if w < len(words) {
			v = words[w] >> shift
		}
		if shift+n > bits.UintSize && w+1 < len(words) {
			v |= words[w+1] << (bits.UintSize - shift)
		}
		return int(v & (1<<n - 1))
	}
	carry := 0
	for at := 0; at < len(digits); {
		if window(at, 1) == carry {
			at++
			continue
		}
		n := min(digitBits, len(digits)-at)
		d := window(at, n) + carry
		carry = d >> (digitBits - 1)
		digits[at] = int8(d - carry<<digitBits)
		at += n
	}
	return digits
}
