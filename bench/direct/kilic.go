package direct

import (
	"crypto/sha256"
	"errors"
	"math/big"

	bls12381 "github.com/kilic/bls12-381"

	"mpinlab/bench/inputs"
)

// libKilic is kilic/bls12-381. Its groups and its engine are made once and used
// again, from one goroutine, as they are meant to be. It exports no Miller
// loop.
var libKilic = library{
	group: builds(loadKilic, map[string]func(*kilicInputs, int) *Op{
		"G1Add": func(d *kilicInputs, _ int) *Op {
			return d.keepG1(func(i int) *bls12381.PointG1 { return d.g1.Add(d.g1.New(), d.p[i], d.left[i]) })
		},
		"G1Mul": func(d *kilicInputs, _ int) *Op {
			return d.keepG1(func(i int) *bls12381.PointG1 { return d.g1.MulScalar(d.g1.New(), d.p[i], d.scalars[i]) })
		},
		"G2Mul": func(d *kilicInputs, _ int) *Op {
			return keep(func(i int, r **bls12381.PointG2) { *r = d.g2.MulScalar(d.g2.New(), d.q[i], d.scalars[i]) },
				func(_ int, r **bls12381.PointG2) []byte { return d.g2.ToUncompressed(*r) })
		},
		"GTExp": func(d *kilicInputs, _ int) *Op {
			gt := bls12381.NewGT()
			var g [inputs.Count]*bls12381.E
			var k [inputs.Count]*big.Int
			for i := range g {
				g[i] = d.engine.AddPair(d.p[i], d.g2.One()).Result()
				k[i] = d.scalars[i].ToBig()
			}
			return d.keepGT(func(i int, r *bls12381.E) { gt.Exp(r, g[i], k[i]) }, d.in.LogP, d.in.Scalars)
		},
		"HashToG1": func(d *kilicInputs, _ int) *Op {
			return d.keepG1(func(i int) *bls12381.PointG1 { return valid(d.g1.HashToCurve(d.in.Messages[i], d.in.DST)) })
		},
		"EncodeToG1": func(d *kilicInputs, _ int) *Op {
			return d.keepG1(func(i int) *bls12381.PointG1 { return valid(d.g1.EncodeToCurve(d.in.Messages[i], d.in.DST)) })
		},
		"G1Decode": func(d *kilicInputs, _ int) *Op {
			return d.keepG1(func(i int) *bls12381.PointG1 { return valid(d.g1.FromUncompressed(d.in.P[i])) })
		},
		"G1DecodeCompressed": func(d *kilicInputs, _ int) *Op {
			return d.keepG1(func(i int) *bls12381.PointG1 { return valid(d.g1.FromCompressed(d.in.PCompressed[i])) })
		},
		"G1InSubgroup": func(d *kilicInputs, _ int) *Op {
			return keepVerdict(func(i int) bool { return d.g1.InCorrectSubgroup(d.p[i]) })
		},
		"Pair": func(d *kilicInputs, _ int) *Op {
			return d.keepGT(func(i int, r *bls12381.E) { *r = *d.engine.AddPair(d.p[i], d.q[i]).Result() }, d.in.LogP, d.in.LogQ)
		},
		"PairCheck2": func(d *kilicInputs, _ int) *Op {
			q := d.g2.One()
			return keepVerdict(func(i int) bool {
				ok := d.engine.AddPair(d.left[i], q).AddPair(d.p[i], d.secret).Check()
				d.engine.Reset()
				return ok
			})
		},
		"MSM": func(d *kilicInputs, n int) *Op {
			points, scalars := twice(d.p), twice(d.scalars)
			return d.keepG1(func(i int) *bls12381.PointG1 {
				return valid(d.g1.MultiExp(d.g1.New(), points[i:i+n], scalars[i:i+n]))
			})
		},
	}),
	serverVerify: func(in *inputs.Protocol) (*Op, error) {
		s := &kilicServer{dst: identityDST(in.Suite.Curve), g1: bls12381.NewG1(), engine: bls12381.NewEngine()}
		g2 := bls12381.NewG2()
		secret, err := g2.FromUncompressed(in.ServerSecret)
		if err != nil {
			return nil, err
		}
		s.q, s.secret, s.order = g2.One(), secret, s.g1.Q()
		return server(in, s.verify), nil
	},
}

// kilicServer is M-Pin's server.
type kilicServer struct {
	dst       []byte
	g1        *bls12381.G1
	engine    *bls12381.Engine
	q, secret *bls12381.PointG2
	order     *big.Int
}

func (s *kilicServer) verify(login *inputs.User) bool {
	u, err := s.g1.FromUncompressed(login.U)
	if err != nil || s.g1.IsZero(u) {
		return false
	}
	v, err := s.g1.FromUncompressed(login.V)
	if err != nil || s.g1.IsZero(v) {
		return false
	}
	// Fr.FromBytes would reduce.
	if n := new(big.Int).SetBytes(login.Y); len(login.Y) != 32 || n.Sign() == 0 || n.Cmp(s.order) >= 0 {
		return false
	}
	y := bls12381.NewFr().FromBytes(login.Y)
	h := sha256.Sum256(login.Identity)
	a, err := s.g1.HashToCurve(h[:], s.dst)
	if err != nil || s.g1.IsZero(a) {
		return false
	}
	s.g1.MulScalar(a, a, y)
	s.g1.Add(u, u, a)
	ok := s.engine.AddPair(v, s.q).AddPair(u, s.secret).Check()
	s.engine.Reset()
	return ok
}

// kilicInputs are the inputs in the library's types.
type kilicInputs struct {
	in      *inputs.Group
	g1      *bls12381.G1
	g2      *bls12381.G2
	engine  *bls12381.Engine
	p, left []*bls12381.PointG1
	q       []*bls12381.PointG2
	secret  *bls12381.PointG2
	scalars []*bls12381.Fr
}

func loadKilic(in *inputs.Group) (*kilicInputs, error) {
	d := &kilicInputs{in: in, g1: bls12381.NewG1(), g2: bls12381.NewG2(), engine: bls12381.NewEngine()}
	scalar := func(b []byte) (*bls12381.Fr, error) { return bls12381.NewFr().FromBytes(b), nil }
	var errs [5]error
	d.p, errs[0] = each(in.P, d.g1.FromUncompressed)
	d.left, errs[1] = each(in.Left, d.g1.FromUncompressed)
	d.q, errs[2] = each(in.Q, d.g2.FromUncompressed)
	d.secret, errs[3] = d.g2.FromUncompressed(in.Secret)
	d.scalars, errs[4] = each(in.Scalars, scalar)
	return d, errors.Join(errs[:]...)
}

// valid returns p, or nil if there was an error.
func valid(p *bls12381.PointG1, err error) *bls12381.PointG1 {
	if err != nil {
		return nil
	}
	return p
}

func (d *kilicInputs) keepG1(run func(i int) *bls12381.PointG1) *Op {
	return keep(func(i int, r **bls12381.PointG1) { *r = run(i) },
		func(_ int, r **bls12381.PointG1) []byte {
			if *r == nil {
				return nil
			}
			return d.g1.ToUncompressed(*r)
		})
}

// keepGT makes an Op whose result i must be e(G1, G2)^(a[i]·b[i]).
func (d *kilicInputs) keepGT(run func(i int, r *bls12381.E), a, b [][]byte) *Op {
	return keep(run, func(i int, r *bls12381.E) []byte {
		k := bls12381.NewFr().FromBytes(product(d.in.Curve, a[i], b[i]))
		p := d.g1.MulScalar(d.g1.New(), d.g1.One(), k)
		return Verdict(r.Equal(d.engine.AddPair(p, d.g2.One()).Result()))
	})
}
