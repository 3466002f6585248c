package h2c

import "mpinlab/backends"

// MapIt is the "hash and increment" of Apache Milagro and AMCL: h, the bytes
// of a hash, to a point of G1. x is the big-endian integer h modulo p, counted
// up until x³ + b is a square; y is the even root; the point is multiplied by
// the full cofactor #E(F_p)/r. It is there for the curves whose G2 lies over
// F_p²; the error is ErrCurve for the others.
//
// The search takes two steps on average and more on some inputs, so its time
// tells something about h. Where the cofactor is not 1, inputs exist that give
// the identity: on bls12-381 any that reduce to 0, for (0, 2) has order 3.
func MapIt(c backends.Curve, h []byte) (Point, error) {
	mappable := func(c backends.Curve) bool { return c.Params().G2Degree == 2 }
	if !mappable(c) {
		return Point{}, unsupported(c, "mapit", mappable)
	}
	f, curve := arithmetic(c)
	x := f.Bytes(h)
	y, ok := f.Sqrt(curve.RightSide(x))
	for !ok {
		x = f.Add(x, f.One())
		y, ok = f.Sqrt(curve.RightSide(x))
	}
	if f.Sgn0(y) != 0 {
		y = f.Neg(y)
	}
	return result(curve.Mul(curve.Affine(x, y), c.Params().Cofactor)), nil
}
