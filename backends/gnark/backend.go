package gnark

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"

	"mpinlab/backends"
	"mpinlab/backends/encoding"
)

// New lists the backends of all seven curves. They run everywhere; in a page
// (GOOS=js), bls12-381 alone is built in.
func New() []backends.Entry {
	entries := make([]backends.Entry, len(curves))
	for i, c := range curves {
		if c.make == nil {
			entries[i] = backends.Entry{Info: info(c.id, false), Reason: leftOut}
		} else {
			entries[i] = backends.Available(c.make())
		}
	}
	return entries
}

const leftOut = "left out of builds for the browser to keep them small; the build tag allcurves brings it in"

// NewCurve returns the backend of c, or an error where gnark-crypto does not
// have that curve or this build leaves it out.
func NewCurve(c backends.Curve) (backends.Backend, error) {
	for _, k := range curves {
		if k.id != c {
			continue
		}
		if k.make == nil {
			return nil, fmt.Errorf("gnark/%s: %s", c, leftOut)
		}
		return k.make(), nil
	}
	return nil, fmt.Errorf("gnark-crypto has no curve %s", c)
}

func info(c backends.Curve, arm64 bool) backends.Info {
	return backends.Info{
		ID:             "gnark/" + c.String(),
		Library:        "gnark-crypto",
		Curve:          c,
		Version:        backends.ModuleVersion("github.com/consensys/gnark-crypto"),
		Implementation: implementation(arm64),
		ConstantTime:   backends.ConstantTimeNo,
		ConstantTimeSource: `gnark-crypto README, "Warning": "makes no security guarantees such as ` +
			`constant time implementation or side-channel attack resistance"`,
	}
}

// table is what the adapter needs to know of a curve beyond the methods of its
// types: A and B are G1Affine and G2Affine, S is fr.Element, T is GT.
type table[A, B, S, T any] struct {
	curve backends.Curve
	// arm64 tells whether the base field has assembly for arm64; all have it
	// for amd64.
	arm64 bool

	generator1 A
	generator2 B

	hash, encode func(msg, dst []byte) (A, error)

	pair, miller func([]A, []B) (T, error)
	check        func([]A, []B) (bool, error)
	finalExp     func(*T, ...*T) T
	// fix prepares the second arguments of a product; see fixed.
	fix func([]B) func([]*A) bool

	// exact1 and exact2, where they are not nil, decide membership in the
	// subgroup in the place of gnark-crypto's own test; see plainOrder.
	exact1 func(*A) bool
	exact2 func(*B) bool

	multi func(*A, []A, []S, ecc.MultiExpConfig) (*A, error)
	// few is multi for few points; see MultiScalarG1.
	few      func([]A, []*big.Int) A
	subgroup func([]A) bool

	// coordinates gives access to the coordinates of a point of G1.
	coordinates func(*A) (x, y coordinate)
	// decompress decodes a compressed point of G1 without a subgroup check.
	decompress func([]byte, *A) error

	scalarBytes func(*S) []byte
	g1Bytes     func(*A) []byte // compressed
	g2Bytes     func(*B) []byte // compressed
	gtBytes     func(*T) []byte
}

// coordinate is an element of the base field.
type coordinate interface {
	SetBytesCanonical([]byte) error
}

// g1 and g2 are the two instantiations of point on one curve.
type (
	g1[A, S any, PA affine[A], PS field[S]] = point[backends.G1, A, S, PA, PS]
	g2[B, S any, PB affine[B], PS field[S]] = point[backends.G2, B, S, PB, PS]
)

// adapter is gnark-crypto on one curve.
type adapter[A, B, S, T any, PA affine[A], PB affine[B], PS field[S], PT unit[T]] struct {
	table[A, B, S, T]
	info           backends.Info
	codec1, codec2 *encoding.Codec
	cofactor       bool // whether G1 is smaller than the curve
	inG1           *group[A]
	inG2           *group[B]
	inGT           *group[T]
	inScalars      *group[S]
}

// contract is what every instantiation of adapter meets: all there is.
type contract interface {
	backends.Backend
	backends.Hasher
	backends.Encoder
	backends.FixedG2
	backends.MultiScalar
	backends.ShortScalar
	backends.BatchSubgroup
	backends.Pairer
	backends.Splitter
}

func adapt[A, B, S, T any, PA affine[A], PB affine[B], PS field[S], PT unit[T]](t table[A, B, S, T]) contract {
	about := info(t.curve, t.arm64)
	id := about.ID
	return &adapter[A, B, S, T, PA, PB, PS, PT]{
		table:     t,
		info:      about,
		codec1:    encoding.G1(t.curve),
		codec2:    encoding.G2(t.curve),
		cofactor:  t.curve.Params().Cofactor.Cmp(big.NewInt(1)) != 0,
		inG1:      &group[A]{id, t.g1Bytes},
		inG2:      &group[B]{id, t.g2Bytes},
		inGT:      &group[T]{id, t.gtBytes},
		inScalars: &group[S]{id, t.scalarBytes},
	}
}

func (b *adapter[A, B, S, T, PA, PB, PS, PT]) Info() backends.Info { return b.info }
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) G1() backends.G1     { return b.wrap1(b.generator1) }
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) G2() backends.G2     { return b.wrap2(b.generator2) }

// DecodeScalar implements backends.Backend.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) DecodeScalar(data []byte) (backends.Scalar, error) {
	if err := encoding.CheckScalar(b.curve, data); err != nil {
		return nil, err
	}
	return b.ReduceScalar(data), nil
}

// ReduceScalar implements backends.Backend. It is variable-time.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) ReduceScalar(data []byte) backends.Scalar {
	s := &scalar[S, PS]{group: b.inScalars}
	PS(&s.v).SetBytes(data)
	return s
}

// HashToG1 implements backends.Hasher.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) HashToG1(dst, msg []byte) backends.G1 {
	return b.wrap1(must(b.hash(msg, encoding.ShortenDST(dst))))
}

// EncodeToG1 implements backends.Encoder.
func (b *adapter[A, B, S, T, PA, PB, PS, PT]) EncodeToG1(dst, msg []byte) backends.G1 {
	return b.wrap1(must(b.encode(msg, encoding.ShortenDST(dst))))
}

func (b *adapter[A, B, S, T, PA, PB, PS, PT]) wrap1(v A) backends.G1 {
	return &g1[A, S, PA, PS]{b.inG1, v}
}

func (b *adapter[A, B, S, T, PA, PB, PS, PT]) wrap2(v B) backends.G2 {
	return &g2[B, S, PB, PS]{b.inG2, v}
}

func (b *adapter[A, B, S, T, PA, PB, PS, PT]) unwrap1(p backends.G1) *A {
	o, ok := p.(*g1[A, S, PA, PS])
	if !ok {
		backends.Mixed(b.info.ID, p)
	}
	return &o.v
}

func (b *adapter[A, B, S, T, PA, PB, PS, PT]) unwrap2(q backends.G2) *B {
	o, ok := q.(*g2[B, S, PB, PS])
	if !ok {
		backends.Mixed(b.info.ID, q)
	}
	return &o.v
}

func (b *adapter[A, B, S, T, PA, PB, PS, PT]) unwrapScalar(k backends.Scalar) *scalar[S, PS] {
	s, ok := k.(*scalar[S, PS])
	if !ok {
		backends.Mixed(b.info.ID, k)
	}
	return s
}

// must returns v. The errors that it panics on are gnark-crypto's for
// arguments that the adapter never passes, such as slices of unequal lengths.
func must[V any](v V, err error) V {
	if err != nil {
		panic("backends/gnark: " + err.Error())
	}
	return v
}
