package gnark

import (
	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// DecodeG1 implements backends.Backend.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) DecodeG1(data []byte) (backends.G1, error) {
	p := &g1[A, S, PA, PS]{group: b.inG1}
	if err := decode[A, PA](b.codec1, data, &p.v, b.exact1); err != nil {
		return nil, err
	}
	return p, nil
}

// DecodeG2 implements backends.Backend.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) DecodeG2(data []byte) (backends.G2, error) {
	q := &g2[B, S, PB, PS]{group: b.inG2}
	if err := decode[B, PB](b.codec2, data, &q.v, b.exact2); err != nil {
		return nil, err
	}
	return q, nil
}

// decode reads data, which may be of any length, into p, a zero value.
// exact, if not nil, has the last word on the subgroup.
func decode[E any, P affine[E]](codec *encoding.Codec, data []byte, p *E, exact func(*E) bool) error {
	form, err := codec.Check(data)
	if err != nil || form == encoding.Identity {
		return err
	}
	if _, err := P(p).SetBytes(data); err == nil && (exact == nil || exact(p)) {
		return nil
	}
	// Length, flags and range being right, SetBytes has filled in what it
	// could: both coordinates, or x and a zero y where x³ + b has no root.
	if offCurve[E, P](p) {
		return codec.Error(backends.ErrNotOnCurve)
	}
	return codec.Error(backends.ErrNotInSubgroup)
}

// offCurve reports whether p, read as two coordinates and not as the identity,
// misses the curve. gnark-crypto's (0, 0) is the identity, which its own
// predicate lets pass; no curve here goes through the origin.
func offCurve[E any, P affine[E]](p *E) bool {
	return P(p).IsInfinity() || !P(p).IsOnCurve()
}

// DecodeG1Unchecked implements backends.BatchSubgroup.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) DecodeG1Unchecked(data []byte) (backends.G1, error) {
	form, err := b.codec1.Check(data)
	if err != nil {
		return nil, err
	}
	p := &g1[A, S, PA, PS]{group: b.inG1}
	switch form {
	case encoding.Identity:
		return p, nil
	case encoding.Compressed:
		err = b.decompress(data, &p.v)
	default:
		// gnark-crypto's decoder without subgroup checks does not look at the
		// curve equation of an uncompressed point.
		err = coordinates(b.coordinates, data, &p.v)
	}
	if err != nil || form == encoding.Uncompressed && offCurve[A, PA](&p.v) {
		return nil, b.codec1.Error(backends.ErrNotOnCurve)
	}
	return p, nil
}

// coordinates reads x ‖ y.
func coordinates[A any](of func(*A) (x, y coordinate), data []byte, p *A) error {
	x, y := of(p)
	half := len(data) / 2
	if err := x.SetBytesCanonical(data[:half]); err != nil {
		return err
	}
	return y.SetBytesCanonical(data[half:])
}

// batchFrom is the number of points from which gnark-crypto's batch subgroup
// check beats one check after another, where there is a cofactor: measured on
// one core, the break-even lies between 80 and 95 on all curves. Without a
// cofactor the check is the curve equation and the batch loses at any size.
const batchFrom = 96

// InSubgroupG1 implements backends.BatchSubgroup. From 96 points on, and where
// there is a cofactor, the check is gnark-crypto's probabilistic one with an
// error of at most 2^-64; that one spreads over all CPUs.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) InSubgroupG1(p ...backends.G1) bool {
	if b.cofactor && len(p) >= batchFrom && b.exact1 == nil {
		points := make([]A, len(p))
		for i, o := range p {
			points[i] = *b.unwrap1(o)
		}
		return b.subgroup(points)
	}
	for _, o := range p {
		if v := b.unwrap1(o); !PA(v).IsInSubGroup() || b.exact1 != nil && !b.exact1(v) {
			return false
		}
	}
	return true
}
