package backendtest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"

	"mpinlab/backends"
)

// kinds are the errors a decoder may give.
var kinds = []error{backends.ErrLength, backends.ErrFlags, backends.ErrNotCanonical, backends.ErrNotOnCurve, backends.ErrNotInSubgroup}

var errUnnamed = errors.New("an error of no named kind")

// KindOf returns which of the named kinds err is: nil for nil, and an error
// that is none of them for all others.
func KindOf(err error) error {
	if err == nil {
		return nil
	}
	for _, k := range kinds {
		if errors.Is(err, k) {
			return k
		}
	}
	return errUnnamed
}

// Agree checks that a and b, two backends of one curve, give the same bytes
// and the same verdicts.
func Agree(a, b backends.Backend, e Effort) error {
	rng := rand.New(rand.NewSource(e.Seed + 12))
	curve := a.Info().Curve
	if b.Info().Curve != curve {
		return fmt.Errorf("%s and %s are of different curves", a.Info().ID, b.Info().ID)
	}
	both := []backends.Backend{a, b}
	agree := func(what string, f func(backends.Backend) []byte) error {
		x, y := f(both[0]), f(both[1])
		if !bytes.Equal(x, y) {
			return fmt.Errorf("%s: %s has %x, %s has %x", what, a.Info().ID, x, b.Info().ID, y)
		}
		return nil
	}
	for range max(e.Cases, 2) {
		k := randomInt(curve.Params().R, rng)
		for what, f := range map[string]func(backends.Backend) []byte{
			"k·P":            func(b backends.Backend) []byte { return b.G1().Mul(scalarOf(b, k)).Bytes() },
			"k·P compressed": func(b backends.Backend) []byte { return b.G1().Mul(scalarOf(b, k)).BytesCompressed() },
			"k·Q":            func(b backends.Backend) []byte { return b.G2().Mul(scalarOf(b, k)).Bytes() },
			"k·Q compressed": func(b backends.Backend) []byte { return b.G2().Mul(scalarOf(b, k)).BytesCompressed() },
			"1/k":            func(b backends.Backend) []byte { return scalarOf(b, k).Inverse().Bytes() },
		} {
			if err := agree(fmt.Sprintf("%s, k = %x", what, k), f); err != nil {
				return err
			}
		}
		msg := make([]byte, rng.Intn(100))
		rng.Read(msg)
		if both := has[backends.Hasher](a, b); both {
			if err := agree("hash to G1", func(b backends.Backend) []byte {
				return b.(backends.Hasher).HashToG1([]byte("agree"), msg).Bytes()
			}); err != nil {
				return err
			}
		}
		if both := has[backends.Encoder](a, b); both {
			if err := agree("encode to G1", func(b backends.Backend) []byte {
				return b.(backends.Encoder).EncodeToG1([]byte("agree"), msg).Bytes()
			}); err != nil {
				return err
			}
		}
		if both := has[backends.Pairer](a, b); both {
			if err := agree(fmt.Sprintf("e(P, Q)^k, k = %x", k), func(b backends.Backend) []byte {
				g := b.(backends.Pairer).Pair([]backends.G1{b.G1()}, []backends.G2{b.G2()})
				return g.Exp(scalarOf(b, k)).Bytes()
			}); err != nil {
				return err
			}
		}
	}
	return agreeOnBytes(a, b, rng, e)
}

func has[T any](a, b backends.Backend) bool {
	_, one := a.(T)
	_, two := b.(T)
	return one && two
}

// agreeOnBytes feeds both the same damaged encodings.
func agreeOnBytes(a, b backends.Backend, rng *rand.Rand, e Effort) error {
	k := backends.SmallScalar(a, rng.Uint64())
	p, q := a.G1().Mul(k), a.G2().Mul(k)
	forms := [][]byte{p.Bytes(), p.BytesCompressed(), q.Bytes(), q.BytesCompressed(), k.Bytes(),
		p.Sub(p).Bytes(), p.Sub(p).BytesCompressed(), q.Sub(q).Bytes(), q.Sub(q).BytesCompressed()}
	for range 4 * max(e.Cases, 2) {
		for _, data := range forms {
			if err := SameVerdicts([]backends.Backend{a, b}, damage(data, rng)); err != nil {
				return err
			}
		}
	}
	return nil
}

// damage changes, cuts or lengthens data a little.
func damage(data []byte, rng *rand.Rand) []byte {
	d := bytes.Clone(data)
	switch rng.Intn(6) {
	case 0:
		d[0] ^= byte(1 << (4 + rng.Intn(4)))
	case 1:
		d[rng.Intn(len(d))] ^= byte(1 << rng.Intn(8))
	case 2:
		d[len(d)-1]++
	case 3:
		d = d[:rng.Intn(len(d))]
	case 4:
		d = append(d, byte(rng.Intn(256)))
	case 5:
		ones(d[rng.Intn(len(d)):])
	}
	return d
}

// SameVerdicts hands data to every decoder of every backend, all of one curve.
// They must accept and refuse alike, with errors of named kinds, and what they
// accept must encode to data again, the identity's second spelling aside.
func SameVerdicts(bs []backends.Backend, data []byte) error {
	type verdict struct {
		kind  error
		bytes string
	}
	decoders := map[string]func(b backends.Backend) (verdict, error){
		"G1": func(b backends.Backend) (verdict, error) {
			p, err := b.DecodeG1(data)
			if err != nil {
				return verdict{kind: KindOf(err)}, nil
			}
			return verdict{nil, string(p.Bytes())}, canonical(data, p)
		},
		"G2": func(b backends.Backend) (verdict, error) {
			q, err := b.DecodeG2(data)
			if err != nil {
				return verdict{kind: KindOf(err)}, nil
			}
			return verdict{nil, string(q.Bytes())}, canonical(data, q)
		},
		"scalar": func(b backends.Backend) (verdict, error) {
			k, err := b.DecodeScalar(data)
			if err != nil {
				return verdict{kind: KindOf(err)}, nil
			}
			return verdict{nil, string(k.Bytes())}, nil
		},
	}
	for what, decode := range decoders {
		first, err := decode(bs[0])
		if first.kind == errUnnamed {
			err = errUnnamed
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", bs[0].Info().ID, what, err)
		}
		for _, b := range bs[1:] {
			v, err := decode(b)
			if err != nil {
				return fmt.Errorf("%s %s: %w", b.Info().ID, what, err)
			}
			if v != first {
				return fmt.Errorf("%s of %x: %s says %v %x, %s says %v %x", what, data,
					bs[0].Info().ID, first.kind, first.bytes, b.Info().ID, v.kind, v.bytes)
			}
		}
	}
	return nil
}

// canonical checks that p encodes to the data it was decoded from.
func canonical(data []byte, p interface {
	Bytes() []byte
	BytesCompressed() []byte
	IsIdentity() bool
}) error {
	if p.IsIdentity() || bytes.Equal(data, p.Bytes()) || bytes.Equal(data, p.BytesCompressed()) {
		return nil
	}
	return fmt.Errorf("decodes %x, which it would not encode", data)
}
