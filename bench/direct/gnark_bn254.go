package direct

import (
	"crypto/sha256"
	"errors"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"mpinlab/bench/inputs"
)

// libGnarkBN254 is gnark-crypto on bn254, in the affine types of its
// documentation.
var libGnarkBN254 = library{
	group: builds(loadGnarkBN254, map[string]func(*gnarkBN254Inputs, int) *Op{
		"G1Add": func(d *gnarkBN254Inputs, _ int) *Op {
			return d.keepG1(func(i int, r *bn254.G1Affine) { r.Add(&d.p[i], &d.left[i]) })
		},
		"G1Mul": func(d *gnarkBN254Inputs, _ int) *Op {
			return d.keepG1(func(i int, r *bn254.G1Affine) { r.ScalarMultiplication(&d.p[i], d.scalars[i]) })
		},
		"G1MulShort": func(d *gnarkBN254Inputs, _ int) *Op {
			return d.keepG1(func(i int, r *bn254.G1Affine) { r.ScalarMultiplication(&d.p[i], d.short[i]) })
		},
		"G2Mul": func(d *gnarkBN254Inputs, _ int) *Op {
			return keep(func(i int, r *bn254.G2Affine) { r.ScalarMultiplication(&d.q[i], d.scalars[i]) },
				func(_ int, r *bn254.G2Affine) []byte { return r.Marshal() })
		},
		"GTExp": func(d *gnarkBN254Inputs, _ int) *Op {
			var g [inputs.Count]bn254.GT
			for i := range g {
				g[i], _ = bn254.Pair(d.p[i:i+1], []bn254.G2Affine{d.g2})
			}
			return d.keepGT(func(i int, r *bn254.GT) { r.ExpGLV(g[i], d.scalars[i]) }, d.in.LogP, d.in.Scalars)
		},
		"HashToG1": func(d *gnarkBN254Inputs, _ int) *Op {
			return d.keepG1(func(i int, r *bn254.G1Affine) { *r, _ = bn254.HashToG1(d.in.Messages[i], d.in.DST) })
		},
		"EncodeToG1": func(d *gnarkBN254Inputs, _ int) *Op {
			return d.keepG1(func(i int, r *bn254.G1Affine) { *r, _ = bn254.EncodeToG1(d.in.Messages[i], d.in.DST) })
		},
		"G1Decode":           func(d *gnarkBN254Inputs, _ int) *Op { return d.decodeG1(d.in.P) },
		"G1DecodeCompressed": func(d *gnarkBN254Inputs, _ int) *Op { return d.decodeG1(d.in.PCompressed) },
		"G1InSubgroup": func(d *gnarkBN254Inputs, _ int) *Op {
			return keepVerdict(func(i int) bool { return d.p[i].IsInSubGroup() })
		},
		"Pair": func(d *gnarkBN254Inputs, _ int) *Op {
			return d.keepGT(func(i int, r *bn254.GT) { *r, _ = bn254.Pair(d.p[i:i+1], d.q[i:i+1]) }, d.in.LogP, d.in.LogQ)
		},
		"MillerLoop": func(d *gnarkBN254Inputs, _ int) *Op {
			return keep(func(i int, r *bn254.GT) { *r, _ = bn254.MillerLoop(d.two(i)) },
				func(i int, r *bn254.GT) []byte {
					z := bn254.FinalExponentiation(r)
					return Verdict(z.IsOne() == d.in.Holds[i])
				})
		},
		"FinalExp": func(d *gnarkBN254Inputs, _ int) *Op {
			var m [inputs.Count]bn254.GT
			for i := range m {
				m[i], _ = bn254.MillerLoop(d.p[i:i+1], d.q[i:i+1])
			}
			return d.keepGT(func(i int, r *bn254.GT) { *r = bn254.FinalExponentiation(&m[i]) }, d.in.LogP, d.in.LogQ)
		},
		"PairCheck2": func(d *gnarkBN254Inputs, _ int) *Op {
			return keepVerdict(func(i int) bool {
				ok, err := bn254.PairingCheck(d.two(i))
				return err == nil && ok
			})
		},
		"PairCheck2Fixed": func(d *gnarkBN254Inputs, _ int) *Op {
			f := fixGnarkBN254(d.g2, d.secret)
			return keepVerdict(func(i int) bool { return f.check(d.left[i], d.p[i]) })
		},
		"MSM": func(d *gnarkBN254Inputs, n int) *Op {
			points, scalars := twice(d.p), twice(d.elements)
			return d.keepG1(func(i int, r *bn254.G1Affine) {
				r.MultiExp(points[i:i+n], scalars[i:i+n], ecc.MultiExpConfig{NbTasks: 1})
			})
		},
	}),
	serverVerify: func(in *inputs.Protocol) (*Op, error) {
		var secret bn254.G2Affine
		if _, err := secret.SetBytes(in.ServerSecret); err != nil {
			return nil, err
		}
		_, _, _, q := bn254.Generators()
		s := gnarkBN254Server{identityDST(in.Suite.Curve), fixGnarkBN254(q, secret)}
		return server(in, s.verify), nil
	},
}

// gnarkBN254Server is M-Pin's server.
type gnarkBN254Server struct {
	dst   []byte
	fixed *gnarkBN254Fixed
}

func (s *gnarkBN254Server) verify(login *inputs.User) bool {
	var u, v bn254.G1Affine
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
	a, err := bn254.HashToG1(h[:], s.dst)
	if err != nil || a.IsInfinity() {
		return false
	}
	a.ScalarMultiplication(&a, y.BigInt(new(big.Int)))
	u.Add(&u, &a)
	return s.fixed.check(v, u)
}

// gnarkBN254Fixed is a product of two pairings with the points of G2
// prepared. PairingCheckFixedQ overwrites the lines that it is given, so that
// each check works on a copy.
type gnarkBN254Fixed struct {
	prepared, lines [2][2][len(bn254.LoopCounter)]bn254.LineEvaluationAff
}

func fixGnarkBN254(q0, q1 bn254.G2Affine) *gnarkBN254Fixed {
	f := new(gnarkBN254Fixed)
	f.prepared[0], f.prepared[1] = bn254.PrecomputeLines(q0), bn254.PrecomputeLines(q1)
	return f
}

func (f *gnarkBN254Fixed) check(p0, p1 bn254.G1Affine) bool {
	f.lines = f.prepared
	ok, err := bn254.PairingCheckFixedQ([]bn254.G1Affine{p0, p1}, f.lines[:])
	return err == nil && ok
}

// gnarkBN254Inputs are the inputs in the library's types.
type gnarkBN254Inputs struct {
	in             *inputs.Group
	p, left        []bn254.G1Affine
	q              []bn254.G2Affine
	g1             bn254.G1Affine
	g2, secret     bn254.G2Affine
	scalars, short []*big.Int
	elements       []fr.Element // scalars
}

func loadGnarkBN254(in *inputs.Group) (*gnarkBN254Inputs, error) {
	d := &gnarkBN254Inputs{in: in}
	_, _, d.g1, d.g2 = bn254.Generators()
	decodeG1 := func(b []byte) (p bn254.G1Affine, err error) { _, err = p.SetBytes(b); return }
	decodeG2 := func(b []byte) (q bn254.G2Affine, err error) { _, err = q.SetBytes(b); return }
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
func (d *gnarkBN254Inputs) two(i int) ([]bn254.G1Affine, []bn254.G2Affine) {
	return []bn254.G1Affine{d.left[i], d.p[i]}, []bn254.G2Affine{d.g2, d.secret}
}

func (d *gnarkBN254Inputs) decodeG1(points [][]byte) *Op {
	return d.keepG1(func(i int, r *bn254.G1Affine) {
		if n, err := r.SetBytes(points[i]); err != nil || n != len(points[i]) {
			r.SetInfinity()
		}
	})
}

func (d *gnarkBN254Inputs) keepG1(run func(i int, r *bn254.G1Affine)) *Op {
	return keep(run, func(_ int, r *bn254.G1Affine) []byte { return r.Marshal() })
}

// keepGT makes an Op whose result i must be e(G1, G2)^(a[i]·b[i]).
func (d *gnarkBN254Inputs) keepGT(run func(i int, r *bn254.GT), a, b [][]byte) *Op {
	return keep(run, func(i int, r *bn254.GT) []byte {
		var p bn254.G1Affine
		p.ScalarMultiplication(&d.g1, new(big.Int).SetBytes(product(d.in.Curve, a[i], b[i])))
		want, err := bn254.Pair([]bn254.G1Affine{p}, []bn254.G2Affine{d.g2})
		return Verdict(err == nil && r.Equal(&want))
	})
}
