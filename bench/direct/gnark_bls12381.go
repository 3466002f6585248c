package direct

import (
	"crypto/sha256"
	"errors"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"

	"mpinlab/bench/inputs"
)

// libGnarkBLS12381 is gnark-crypto on bls12-381, in the affine types of its
// documentation.
var libGnarkBLS12381 = library{
	group: builds(loadGnarkBLS12381, map[string]func(*gnarkBLS12381Inputs, int) *Op{
		"G1Add": func(d *gnarkBLS12381Inputs, _ int) *Op {
			return d.keepG1(func(i int, r *bls12381.G1Affine) { r.Add(&d.p[i], &d.left[i]) })
		},
		"G1Mul": func(d *gnarkBLS12381Inputs, _ int) *Op {
			return d.keepG1(func(i int, r *bls12381.G1Affine) { r.ScalarMultiplication(&d.p[i], d.scalars[i]) })
		},
		"G1MulShort": func(d *gnarkBLS12381Inputs, _ int) *Op {
			return d.keepG1(func(i int, r *bls12381.G1Affine) { r.ScalarMultiplication(&d.p[i], d.short[i]) })
		},
		"G2Mul": func(d *gnarkBLS12381Inputs, _ int) *Op {
			return keep(func(i int, r *bls12381.G2Affine) { r.ScalarMultiplication(&d.q[i], d.scalars[i]) },
				func(_ int, r *bls12381.G2Affine) []byte { return r.Marshal() })
		},
		"GTExp": func(d *gnarkBLS12381Inputs, _ int) *Op {
			var g [inputs.Count]bls12381.GT
			for i := range g {
				g[i], _ = bls12381.Pair(d.p[i:i+1], []bls12381.G2Affine{d.g2})
			}
			return d.keepGT(func(i int, r *bls12381.GT) { r.ExpGLV(g[i], d.scalars[i]) }, d.in.LogP, d.in.Scalars)
		},
		"HashToG1": func(d *gnarkBLS12381Inputs, _ int) *Op {
			return d.keepG1(func(i int, r *bls12381.G1Affine) { *r, _ = bls12381.HashToG1(d.in.Messages[i], d.in.DST) })
		},
		"EncodeToG1": func(d *gnarkBLS12381Inputs, _ int) *Op {
			return d.keepG1(func(i int, r *bls12381.G1Affine) { *r, _ = bls12381.EncodeToG1(d.in.Messages[i], d.in.DST) })
		},
		"G1Decode":           func(d *gnarkBLS12381Inputs, _ int) *Op { return d.decodeG1(d.in.P) },
		"G1DecodeCompressed": func(d *gnarkBLS12381Inputs, _ int) *Op { return d.decodeG1(d.in.PCompressed) },
		"G1InSubgroup": func(d *gnarkBLS12381Inputs, _ int) *Op {
			return keepVerdict(func(i int) bool { return d.p[i].IsInSubGroup() })
		},
		"Pair": func(d *gnarkBLS12381Inputs, _ int) *Op {
			return d.keepGT(func(i int, r *bls12381.GT) { *r, _ = bls12381.Pair(d.p[i:i+1], d.q[i:i+1]) }, d.in.LogP, d.in.LogQ)
		},
		"MillerLoop": func(d *gnarkBLS12381Inputs, _ int) *Op {
			return keep(func(i int, r *bls12381.GT) { *r, _ = bls12381.MillerLoop(d.two(i)) },
				func(i int, r *bls12381.GT) []byte {
					z := bls12381.FinalExponentiation(r)
					return Verdict(z.IsOne() == d.in.Holds[i])
				})
		},
		"FinalExp": func(d *gnarkBLS12381Inputs, _ int) *Op {
			var m [inputs.Count]bls12381.GT
			for i := range m {
				m[i], _ = bls12381.MillerLoop(d.p[i:i+1], d.q[i:i+1])
			}
			return d.keepGT(func(i int, r *bls12381.GT) { *r = bls12381.FinalExponentiation(&m[i]) }, d.in.LogP, d.in.LogQ)
		},
		"PairCheck2": func(d *gnarkBLS12381Inputs, _ int) *Op {
			return keepVerdict(func(i int) bool {
				ok, err := bls12381.PairingCheck(d.two(i))
				return err == nil && ok
			})
		},
		"PairCheck2Fixed": func(d *gnarkBLS12381Inputs, _ int) *Op {
			f := fixGnarkBLS12381(d.g2, d.secret)
			return keepVerdict(func(i int) bool { return f.check(d.left[i], d.p[i]) })
		},
		"MSM": func(d *gnarkBLS12381Inputs, n int) *Op {
			points, scalars := twice(d.p), twice(d.elements)
			return d.keepG1(func(i int, r *bls12381.G1Affine) {
				r.MultiExp(points[i:i+n], scalars[i:i+n], ecc.MultiExpConfig{NbTasks: 1})
			})
		},
	}),
	serverVerify: func(in *inputs.Protocol) (*Op, error) {
		var secret bls12381.G2Affine
		if _, err := secret.SetBytes(in.ServerSecret); err != nil {
			return nil, err
		}
		_, _, _, q := bls12381.Generators()
		s := gnarkBLS12381Server{identityDST(in.Suite.Curve), fixGnarkBLS12381(q, secret)}
		return server(in, s.verify), nil
	},
}

// gnarkBLS12381Server is M-Pin's server.
type gnarkBLS12381Server struct {
	dst   []byte
	fixed *gnarkBLS12381Fixed
}

func (s *gnarkBLS12381Server) verify(login *inputs.User) bool {
	var u, v bls12381.G1Affine
	if n, err := u.SetBytes(login.U); err != nil || n != len(login.U) || u.IsInfinity() {
		return false
	}
	if n, err := v.SetBytes(login.V); err != nil || n != len(login.V) || v.IsInfinity() {
		return false
	}
	var y fr.Element
	if err := y.SetBytesCanonical(login.Y); err != nil || y.IsZero() {
		return false
	}
	h := sha256.Sum256(login.Identity)
	a, err := bls12381.HashToG1(h[:], s.dst)
	if err != nil || a.IsInfinity() {
		return false
	}
	a.ScalarMultiplication(&a, y.BigInt(new(big.Int)))
	u.Add(&u, &a)
	return s.fixed.check(v, u)
}

// gnarkBLS12381Fixed is a product of two pairings with the points of G2
// prepared. PairingCheckFixedQ overwrites the lines that it is given, so that
// each check works on a copy.
type gnarkBLS12381Fixed struct {
	prepared, lines [2][2][len(bls12381.LoopCounter) - 1]bls12381.LineEvaluationAff
}

func fixGnarkBLS12381(q0, q1 bls12381.G2Affine) *gnarkBLS12381Fixed {
	f := new(gnarkBLS12381Fixed)
	f.prepared[0], f.prepared[1] = bls12381.PrecomputeLines(q0), bls12381.PrecomputeLines(q1)
	return f
}

func (f *gnarkBLS12381Fixed) check(p0, p1 bls12381.G1Affine) bool {
	f.lines = f.prepared
	ok, err := bls12381.PairingCheckFixedQ([]bls12381.G1Affine{p0, p1}, f.lines[:])
	return err == nil && ok
}

// gnarkBLS12381Inputs are the inputs in the library's types.
type gnarkBLS12381Inputs struct {
	in             *inputs.Group
	p, left        []bls12381.G1Affine
	q              []bls12381.G2Affine
	g1             bls12381.G1Affine
	g2, secret     bls12381.G2Affine
	scalars, short []*big.Int
	elements       []fr.Element // scalars
}

func loadGnarkBLS12381(in *inputs.Group) (*gnarkBLS12381Inputs, error) {
	d := &gnarkBLS12381Inputs{in: in}
	_, _, d.g1, d.g2 = bls12381.Generators()
	decodeG1 := func(b []byte) (p bls12381.G1Affine, err error) { _, err = p.SetBytes(b); return }
	decodeG2 := func(b []byte) (q bls12381.G2Affine, err error) { _, err = q.SetBytes(b); return }
	integer := func(b []byte) (*big.Int, error) { return new(big.Int).SetBytes(b), nil }
	var errs [7]error
	d.p, errs[0] = each(in.P, decodeG1)
	d.left, errs[1] = each(in.Left, decodeG1)
	d.q, errs[2] = each(in.Q, decodeG2)
	d.secret, errs[3] = decodeG2(in.Secret)
	d.scalars, errs[4] = each(in.Scalars, integer)
	d.short, errs[5] = each(in.Short, integer)
	d.elements, errs[6] = each(in.Scalars, func(b []byte) (k fr.Element, err error) { err = k.SetBytesCanonical(b); return })
	return d, errors.Join(errs[:]...)
}

// two returns the pairs of M-Pin's equation for input i.
func (d *gnarkBLS12381Inputs) two(i int) ([]bls12381.G1Affine, []bls12381.G2Affine) {
	return []bls12381.G1Affine{d.left[i], d.p[i]}, []bls12381.G2Affine{d.g2, d.secret}
}

func (d *gnarkBLS12381Inputs) decodeG1(points [][]byte) *Op {
	return d.keepG1(func(i int, r *bls12381.G1Affine) {
		if n, err := r.SetBytes(points[i]); err != nil || n != len(points[i]) {
			r.SetInfinity()
		}
	})
}

func (d *gnarkBLS12381Inputs) keepG1(run func(i int, r *bls12381.G1Affine)) *Op {
	return keep(run, func(_ int, r *bls12381.G1Affine) []byte { return r.Marshal() })
}

// keepGT makes an Op whose result i must be e(G1, G2)^(a[i]·b[i]).
func (d *gnarkBLS12381Inputs) keepGT(run func(i int, r *bls12381.GT), a, b [][]byte) *Op {
	return keep(run, func(i int, r *bls12381.GT) []byte {
		var p bls12381.G1Affine
		p.ScalarMultiplication(&d.g1, new(big.Int).SetBytes(product(d.in.Curve, a[i], b[i])))
		want, err := bls12381.Pair([]bls12381.G1Affine{p}, []bls12381.G2Affine{d.g2})
		return Verdict(err == nil && r.Equal(&want))
	})
}
