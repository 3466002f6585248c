package bench

import (
	"bytes"

	"mpinlab/backends"
	"mpinlab/bench/direct"
	"mpinlab/bench/inputs"
)

// groupOp is an operation of the catalogue on a backend's groups.
type groupOp struct {
	Operation
	// sizes are the values of n of an operation that has one.
	sizes []int
	// concurrent operations may hand work to goroutines of the library.
	concurrent bool
	// needs reports whether a backend has the capability; nil means that all
	// have.
	needs func(backends.Backend) bool
	// run does the operation on input i through package backends.
	build func(l *loaded, n int) (run func(i int), result func(i int) []byte)
	// want is what result i must be, by another route than run's.
	want func(l *loaded, n, i int) []byte
}

// groupCases adds the group operations, through the interface and direct.
func (c *collector) groupCases() {
	for _, o := range groupOps {
		if o.needs != nil && !o.needs(c.b) {
			continue
		}
		sizes := o.sizes
		if sizes == nil {
			sizes = []int{0}
		}
		for _, n := range sizes {
			k := c.key(o.Name, "interface")
			if n > 0 {
				k.NName, k.N = "n", n
			}
			want := func(i int) []byte { return o.want(c.loaded(), n, i) }
			c.add(k, o.concurrent, func() (*direct.Op, func(int) []byte, error) {
				run, result := o.build(c.loaded(), n)
				return &direct.Op{Run: run, Result: result}, want, nil
			})
			build := direct.Find(c.b.Info().ID, o.Name)
			if build == nil {
				continue
			}
			k.Via = "direct"
			c.add(k, o.concurrent, func() (*direct.Op, func(int) []byte, error) {
				op, err := build(c.group(), n)
				return op, want, err
			})
		}
	}
}

func needs[T any](b backends.Backend) bool {
	_, ok := b.(T)
	return ok
}

func verdict(ok bool) []byte { return direct.Verdict(ok) }

// keepG1 makes an operation whose results are points of G1.
func keepG1(f func(i int) backends.G1) (func(int), func(int) []byte) {
	var kept [Inputs]backends.G1
	return func(i int) { kept[i] = f(i) }, func(i int) []byte { return kept[i].Bytes() }
}

// keepVerdict makes an operation whose results are truths.
func keepVerdict(f func(i int) bool) (func(int), func(int) []byte) {
	var kept [Inputs]bool
	return func(i int) { kept[i] = f(i) }, func(i int) []byte { return verdict(kept[i]) }
}

// keepGT makes an operation whose result i must be e(G1, G2)^log(i). It is
// judged in the library's own GT, because libraries order GT's bytes
// differently.
func keepGT(l *loaded, f func(i int) backends.GT, log func(i int) backends.Scalar) (func(int), func(int) []byte) {
	var kept, wanted [Inputs]backends.GT
	return func(i int) { kept[i] = f(i) }, func(i int) []byte {
		if wanted[i] == nil {
			wanted[i] = l.gt.Exp(log(i))
		}
		return verdict(kept[i].Equal(wanted[i]))
	}
}

func holds(*loaded, int, int) []byte { return verdict(true) }

// loaded is the data of a curve as elements of a backend.
type loaded struct {
	b              backends.Backend
	in             *inputs.Group
	scalars, short []backends.Scalar
	logP, logQ     []backends.Scalar
	p, left        []backends.G1
	q              []backends.G2
	secret         backends.G2
	gt             backends.GT // e(G1, G2), nil for a backend without GT
}

func load(b backends.Backend, in *inputs.Group) *loaded {
	l := &loaded{b: b, in: in, secret: must(b.DecodeG2(in.Secret))}
	for i := range Inputs {
		l.scalars = append(l.scalars, must(b.DecodeScalar(in.Scalars[i])))
		l.short = append(l.short, must(b.DecodeScalar(in.Short[i])))
		l.logP = append(l.logP, must(b.DecodeScalar(in.LogP[i])))
		l.logQ = append(l.logQ, must(b.DecodeScalar(in.LogQ[i])))
		l.p = append(l.p, must(b.DecodeG1(in.P[i])))
		l.left = append(l.left, must(b.DecodeG1(in.Left[i])))
		l.q = append(l.q, must(b.DecodeG2(in.Q[i])))
	}
	if p, ok := b.(backends.Pairer); ok {
		l.gt = p.Pair([]backends.G1{b.G1()}, []backends.G2{b.G2()})
	}
	return l
}

// must is for data that package inputs made with a backend of the same curve:
// a failure is a wrong backend, and the engine reports the panic as such.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var groupOps = []groupOp{
	{
		Operation: Operation{"G1Add", "adds two points of G1"},
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			return keepG1(func(i int) backends.G1 { return l.p[i].Add(l.left[i]) })
		},
		want: func(l *loaded, _, i int) []byte {
			k := l.logP[i].Sub(l.logP[i].Mul(must(l.b.DecodeScalar(l.in.SecretLog))))
			if !l.in.Holds[i] {
				k = k.Add(backends.SmallScalar(l.b, 1))
			}
			return l.b.G1().Mul(k).Bytes()
		},
	},
	{
		Operation: Operation{"G1Mul", "multiplies a point of G1 by a full-length scalar"},
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			return keepG1(func(i int) backends.G1 { return l.p[i].Mul(l.scalars[i]) })
		},
		want: func(l *loaded, _, i int) []byte { return l.b.G1().Mul(l.logP[i].Mul(l.scalars[i])).Bytes() },
	},
	{
		Operation: Operation{"G1MulShort", "multiplies a point of G1 by a 128-bit scalar"},
		needs:     needs[backends.ShortScalar],
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			s := l.b.(backends.ShortScalar)
			return keepG1(func(i int) backends.G1 { return s.MulShort(l.p[i], l.short[i], 128) })
		},
		want: func(l *loaded, _, i int) []byte { return l.b.G1().Mul(l.logP[i].Mul(l.short[i])).Bytes() },
	},
	{
		Operation: Operation{"G2Mul", "multiplies a point of G2 by a full-length scalar"},
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			var kept [Inputs]backends.G2
			return func(i int) { kept[i] = l.q[i].Mul(l.scalars[i]) }, func(i int) []byte { return kept[i].Bytes() }
		},
		want: func(l *loaded, _, i int) []byte { return l.b.G2().Mul(l.logQ[i].Mul(l.scalars[i])).Bytes() },
	},
	{
		Operation: Operation{"GTExp", "raises an element of GT to a full-length scalar"},
		needs:     needs[backends.Pairer],
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			var g [Inputs]backends.GT
			for i := range g {
				g[i] = l.b.(backends.Pairer).Pair([]backends.G1{l.p[i]}, []backends.G2{l.b.G2()})
			}
			return keepGT(l, func(i int) backends.GT { return g[i].Exp(l.scalars[i]) },
				func(i int) backends.Scalar { return l.logP[i].Mul(l.scalars[i]) })
		},
		want: holds,
	},
	{
		Operation: Operation{"HashToG1", "hashes 32 bytes to G1 as a random oracle (RFC 9380, RO)"},
		needs:     needs[backends.Hasher],
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			h := l.b.(backends.Hasher)
			return keepG1(func(i int) backends.G1 { return h.HashToG1(l.in.DST, l.in.Messages[i]) })
		},
		want: func(l *loaded, _, i int) []byte {
			// Another backend of the curve, or the paper, says the same in the
			// conformance suite; here it is enough that the result is a point
			// of the subgroup and the same as before.
			p := l.b.(backends.Hasher).HashToG1(bytes.Clone(l.in.DST), l.in.Messages[i]).Bytes()
			return must(l.b.DecodeG1(p)).Bytes()
		},
	},
	{
		Operation: Operation{"EncodeToG1", "hashes 32 bytes to G1 non-uniformly (RFC 9380, NU)"},
		needs:     needs[backends.Encoder],
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			h := l.b.(backends.Encoder)
			return keepG1(func(i int) backends.G1 { return h.EncodeToG1(l.in.DST, l.in.Messages[i]) })
		},
		want: func(l *loaded, _, i int) []byte {
			p := l.b.(backends.Encoder).EncodeToG1(bytes.Clone(l.in.DST), l.in.Messages[i]).Bytes()
			return must(l.b.DecodeG1(p)).Bytes()
		},
	},
	{
		Operation: Operation{"G1Decode", "decodes an uncompressed point of G1, curve and subgroup checked"},
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			return keepG1(func(i int) backends.G1 { p, _ := l.b.DecodeG1(l.in.P[i]); return p })
		},
		want: func(l *loaded, _, i int) []byte { return l.b.G1().Mul(l.logP[i]).Bytes() },
	},
	{
		Operation: Operation{"G1DecodeCompressed", "decodes a compressed point of G1, curve and subgroup checked"},
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			return keepG1(func(i int) backends.G1 { p, _ := l.b.DecodeG1(l.in.PCompressed[i]); return p })
		},
		want: func(l *loaded, _, i int) []byte { return l.b.G1().Mul(l.logP[i]).Bytes() },
	},
	{
		Operation: Operation{"G1InSubgroup", "checks that a point of the curve lies in the subgroup"},
		needs:     needs[backends.BatchSubgroup],
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			s := l.b.(backends.BatchSubgroup)
			return keepVerdict(func(i int) bool { return s.InSubgroupG1(l.p[i]) })
		},
		want: holds,
	},
	{
		Operation: Operation{"Pair", "computes one pairing e(P, Q)"},
		needs:     needs[backends.Pairer],
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			p := l.b.(backends.Pairer)
			return keepGT(l, func(i int) backends.GT { return p.Pair(l.p[i:i+1], l.q[i:i+1]) },
				func(i int) backends.Scalar { return l.logP[i].Mul(l.logQ[i]) })
		},
		want: holds,
	},
	{
		Operation: Operation{"MillerLoop", "runs the Miller loop of a product of two pairings"},
		needs:     needs[backends.Splitter],
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			s := l.b.(backends.Splitter)
			var kept [Inputs]backends.Unreduced
			return func(i int) { kept[i] = s.MillerLoop(l.two(i)) },
				func(i int) []byte { return verdict(s.FinalExp(kept[i]).IsOne() == l.in.Holds[i]) }
		},
		want: holds,
	},
	{
		Operation: Operation{"FinalExp", "runs the final exponentiation"},
		needs:     needs[backends.Splitter],
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			s := l.b.(backends.Splitter)
			var m [Inputs]backends.Unreduced
			for i := range m {
				m[i] = s.MillerLoop(l.p[i:i+1], l.q[i:i+1])
			}
			return keepGT(l, func(i int) backends.GT { return s.FinalExp(m[i]) },
				func(i int) backends.Scalar { return l.logP[i].Mul(l.logQ[i]) })
		},
		want: holds,
	},
	{
		Operation: Operation{"PairCheck2", "checks a product of two pairings, nothing prepared"},
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			return keepVerdict(func(i int) bool { return l.b.PairingCheck(l.two(i)) })
		},
		want: func(l *loaded, _, i int) []byte { return verdict(l.in.Holds[i]) },
	},
	{
		Operation: Operation{"PairCheck2Fixed", "checks a product of two pairings with both points of G2 prepared"},
		needs:     needs[backends.FixedG2],
		build: func(l *loaded, _ int) (func(int), func(int) []byte) {
			fixed := l.b.(backends.FixedG2).FixG2(l.b.G2(), l.secret)
			return keepVerdict(func(i int) bool { return fixed.PairingCheck(l.left[i], l.p[i]) })
		},
		want: func(l *loaded, _, i int) []byte { return verdict(l.in.Holds[i]) },
	},
	{
		Operation:  Operation{"MSM", "adds up n points of G1, each multiplied by a full-length scalar; cost of the whole"},
		sizes:      []int{8, 64},
		concurrent: true,
		needs:      needs[backends.MultiScalar],
		build: func(l *loaded, n int) (func(int), func(int) []byte) {
			m := l.b.(backends.MultiScalar)
			p, k := append(l.p, l.p...), append(l.scalars, l.scalars...)
			return keepG1(func(i int) backends.G1 { return m.MultiScalarG1(p[i:i+n], k[i:i+n]) })
		},
		want: func(l *loaded, n, i int) []byte {
			sum := backends.SmallScalar(l.b, 0)
			for j := i; j < i+n; j++ {
				sum = sum.Add(l.logP[j%Inputs].Mul(l.scalars[j%Inputs]))
			}
			return l.b.G1().Mul(sum).Bytes()
		},
	},
}

// two returns the pairs of M-Pin's equation for input i.
func (l *loaded) two(i int) ([]backends.G1, []backends.G2) {
	return []backends.G1{l.left[i], l.p[i]}, []backends.G2{l.b.G2(), l.secret}
}
