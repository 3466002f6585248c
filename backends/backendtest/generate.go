package backendtest

import (
	"math/big"
	"math/rand"

	"github.com/leanovate/gopter"

	"mpinlab/backends"
)

// Scalars generates scalars weighted towards the values that uniform choice
// never meets: 0, 1, r − 1, their neighbours and halves, powers of two, short
// ones (a PIN, 64 and 128 bits) and long ones with few bits set.
func Scalars(b backends.Backend) gopter.Gen {
	return func(p *gopter.GenParameters) *gopter.GenResult {
		return gopter.NewGenResult(randomScalar(b, p.Rng), gopter.NoShrinker)
	}
}

func randomScalar(b backends.Backend, rng *rand.Rand) backends.Scalar {
	return scalarOf(b, randomInt(b.Info().Curve.Params().R, rng))
}

// scalarOf brings v, 0 ≤ v < r, into b.
func scalarOf(b backends.Backend, v *big.Int) backends.Scalar {
	k, err := b.DecodeScalar(v.FillBytes(make([]byte, b.Info().Curve.Params().ScalarBytes)))
	if err != nil {
		panic(err)
	}
	return k
}

func randomInt(r *big.Int, rng *rand.Rand) *big.Int {
	one := big.NewInt(1)
	v := new(big.Int)
	switch rng.Intn(12) {
	case 0:
		return v
	case 1:
		return v.Set(one)
	case 2:
		return v.Sub(r, one)
	case 3:
		return v.Sub(r, big.NewInt(2+rng.Int63n(1000)))
	case 4:
		return v.Add(v.Rsh(r, 1), big.NewInt(rng.Int63n(3)))
	case 5:
		return v.SetInt64(rng.Int63n(10000))
	case 6:
		return v.SetUint64(rng.Uint64())
	case 7:
		return v.Rand(rng, new(big.Int).Lsh(one, 128))
	case 8:
		return v.Mod(v.Lsh(one, uint(rng.Intn(r.BitLen()))), r)
	case 9: // long runs of ones
		high, low := uint(rng.Intn(r.BitLen())), uint(rng.Intn(r.BitLen()))
		v.Sub(new(big.Int).Lsh(one, max(high, low)), new(big.Int).Lsh(one, min(high, low)))
		return v.Mod(v, r)
	default:
		return v.Rand(rng, r)
	}
}
