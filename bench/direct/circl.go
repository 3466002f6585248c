package direct

import (
	"crypto/sha256"
	"errors"

	"github.com/cloudflare/circl/ecc/bls12381"

	"mpinlab/bench/inputs"
)

// libCIRCL is CIRCL's ecc/bls12381. Products of pairings are done as its package
// sign/bls does them. It exports no Miller loop and no sum of many multiples.
var libCIRCL = library{
	group: builds(loadCIRCL, map[string]func(*circlInputs, int) *Op{
		"G1Add": func(d *circlInputs, _ int) *Op {
			return d.keepG1(func(i int, r *bls12381.G1) { r.Add(&d.p[i], &d.left[i]) })
		},
		"G1Mul": func(d *circlInputs, _ int) *Op {
			return d.keepG1(func(i int, r *bls12381.G1) { r.ScalarMult(&d.scalars[i], &d.p[i]) })
		},
		"G2Mul": func(d *circlInputs, _ int) *Op {
			return keep(func(i int, r *bls12381.G2) { r.ScalarMult(&d.scalars[i], &d.q[i]) },
				func(_ int, r *bls12381.G2) []byte { return r.Bytes() })
		},
		"GTExp": func(d *circlInputs, _ int) *Op {
			var g [inputs.Count]*bls12381.Gt
			for i := range g {
				g[i] = bls12381.Pair(&d.p[i], bls12381.G2Generator())
			}
			return d.keepGT(func(i int, r *bls12381.Gt) { r.Exp(g[i], &d.scalars[i]) }, d.in.LogP, d.in.Scalars)
		},
		"HashToG1": func(d *circlInputs, _ int) *Op {
			return d.keepG1(func(i int, r *bls12381.G1) { r.Hash(d.in.Messages[i], d.in.DST) })
		},
		"EncodeToG1": func(d *circlInputs, _ int) *Op {
			return d.keepG1(func(i int, r *bls12381.G1) { r.Encode(d.in.Messages[i], d.in.DST) })
		},
		"G1Decode":           func(d *circlInputs, _ int) *Op { return d.decodeG1(d.in.P) },
		"G1DecodeCompressed": func(d *circlInputs, _ int) *Op { return d.decodeG1(d.in.PCompressed) },
		"Pair": func(d *circlInputs, _ int) *Op {
			return d.keepGT(func(i int, r *bls12381.Gt) { *r = *bls12381.Pair(&d.p[i], &d.q[i]) }, d.in.LogP, d.in.LogQ)
		},
		"PairCheck2": func(d *circlInputs, _ int) *Op {
			return keepVerdict(func(i int) bool {
				return circlCheck(&d.left[i], bls12381.G2Generator(), &d.p[i], &d.secret)
			})
		},
	}),
	serverVerify: func(in *inputs.Protocol) (*Op, error) {
		s := &circlServer{dst: identityDST(in.Suite.Curve), q: bls12381.G2Generator()}
		if err := s.secret.SetBytes(in.ServerSecret); err != nil {
			return nil, err
		}
		return server(in, s.verify), nil
	},
}

// circlCheck reports whether e(p0, q0)·e(p1, q1) is one.
func circlCheck(p0 *bls12381.G1, q0 *bls12381.G2, p1 *bls12381.G1, q1 *bls12381.G2) bool {
	return bls12381.ProdPairFrac([]*bls12381.G1{p0, p1}, []*bls12381.G2{q0, q1}, []int{1, 1}).IsIdentity()
}

// circlServer is M-Pin's server.
type circlServer struct {
	dst    []byte
	q      *bls12381.G2
	secret bls12381.G2
}

func (s *circlServer) verify(login *inputs.User) bool {
	var u, v, a bls12381.G1
	if u.SetBytes(login.U) != nil || u.IsIdentity() || v.SetBytes(login.V) != nil || v.IsIdentity() {
		return false
	}
	var y bls12381.Scalar
	if len(login.Y) != bls12381.ScalarSize || y.UnmarshalBinary(login.Y) != nil || y.IsZero() == 1 {
		return false
	}
	h := sha256.Sum256(login.Identity)
	a.Hash(h[:], s.dst)
	if a.IsIdentity() {
		return false
	}
	a.ScalarMult(&y, &a)
	u.Add(&u, &a)
	// The pairing takes the identity for an affine point; e(identity, s·Q) is
	// one, and e(v, Q) is not.
	return !u.IsIdentity() && circlCheck(&v, s.q, &u, &s.secret)
}

// circlInputs are the inputs in the library's types.
type circlInputs struct {
	in      *inputs.Group
	p, left []bls12381.G1
	q       []bls12381.G2
	secret  bls12381.G2
	scalars []bls12381.Scalar
}

func loadCIRCL(in *inputs.Group) (*circlInputs, error) {
	d := &circlInputs{in: in}
	decodeG1 := func(b []byte) (p bls12381.G1, err error) { err = p.SetBytes(b); return }
	decodeG2 := func(b []byte) (q bls12381.G2, err error) { err = q.SetBytes(b); return }
	scalar := func(b []byte) (k bls12381.Scalar, err error) { err = k.UnmarshalBinary(b); return }
	var errs [5]error
	d.p, errs[0] = each(in.P, decodeG1)
	d.left, errs[1] = each(in.Left, decodeG1)
	d.q, errs[2] = each(in.Q, decodeG2)
	d.secret, errs[3] = decodeG2(in.Secret)
	d.scalars, errs[4] = each(in.Scalars, scalar)
	return d, errors.Join(errs[:]...)
}

func (d *circlInputs) decodeG1(points [][]byte) *Op {
	return d.keepG1(func(i int, r *bls12381.G1) {
		if r.SetBytes(points[i]) != nil {
			r.SetIdentity()
		}
	})
}

func (d *circlInputs) keepG1(run func(i int, r *bls12381.G1)) *Op {
	return keep(run, func(_ int, r *bls12381.G1) []byte { return r.Bytes() })
}

// keepGT makes an Op whose result i must be e(G1, G2)^(a[i]·b[i]).
func (d *circlInputs) keepGT(run func(i int, r *bls12381.Gt), a, b [][]byte) *Op {
	return keep(run, func(i int, r *bls12381.Gt) []byte {
		var k bls12381.Scalar
		k.SetBytes(product(d.in.Curve, a[i], b[i]))
		var p bls12381.G1
		p.ScalarMult(&k, bls12381.G1Generator())
		return Verdict(r.IsEqual(bls12381.Pair(&p, bls12381.G2Generator())))
	})
}
