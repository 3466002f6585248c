package backends

import (
	"fmt"
	"math/big"
	"strings"
)

// Curve names a pairing-friendly curve. The zero value names none.
type Curve uint8

const (
	_ Curve = iota
	BLS12381
	BN254
	BLS12377
	BLS24315
	BLS24317
	BW6633
	BW6761
	// BN254N is Nogami's curve, which MIRACL calls BN254. It is not BN254.
	BN254N
	// BN254CX is CertiVox's curve, on which deployed Milagro servers run.
	BN254CX
	// FP256BN is the BN-P256 curve of ISO/IEC 15946-5 and the TCG.
	FP256BN
)

// Curves lists every curve.
func Curves() []Curve {
	return []Curve{BLS12381, BN254, BLS12377, BLS24315, BLS24317, BW6633, BW6761, BN254N, BN254CX, FP256BN}
}

// ParseCurve reads a curve's identifier; the error lists those there are.
func ParseCurve(id string) (Curve, error) {
	var ids []string
	for _, c := range Curves() {
		if c.String() == id {
			return c, nil
		}
		ids = append(ids, c.String())
	}
	return 0, fmt.Errorf("unknown curve %q; there are %s", id, strings.Join(ids, ", "))
}

// String returns the curve's identifier, for example "bls12-381".
func (c Curve) String() string { return c.Params().ID }

// MarshalText makes JSON and flags show the identifier.
func (c Curve) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Style is a family of point encodings; package encoding implements them.
type Style uint8

const (
	// ThreeFlags: the three top bits of the first byte are flags
	// (compressed, infinity, larger y), as ZCash defined for bls12-381.
	ThreeFlags Style = iota
	// TwoFlags: gnark-crypto's form for fields with only two spare bits.
	TwoFlags
	// Prefixed: a first byte of 02, 03 or 04, as SEC 1 has it and MIRACL
	// Core writes it.
	Prefixed
)

// Params are the public constants of a curve y² = x³ + b over F_p with a
// subgroup of prime order r. Treat them as read-only.
type Params struct {
	ID string
	P  *big.Int // field modulus
	R  *big.Int // order of G1, G2 and GT
	B  *big.Int // curve coefficient, reduced modulo p
	// Cofactor is #E(F_p)/r.
	Cofactor *big.Int
	// Embedding is the embedding degree k.
	Embedding int
	// G2Degree is the degree over F_p of the field of G2's coordinates.
	G2Degree int
	// SecurityBits is the estimated security level; see SecuritySource.
	SecurityBits   int
	SecuritySource string
	Style          Style
	// Map names the RFC 9380 map to the curve: SSWU or SVDW.
	Map string
	// HashName is the suite id of RFC 9380's hash to G1 (random oracle), or
	// its counterpart for curves without an entry in the RFC.
	HashName string

	FieldBytes, ScalarBytes              int
	G1Bytes, G2Bytes                     int // uncompressed
	G1CompressedBytes, G2CompressedBytes int
}

// Params returns the curve's constants; it panics for a value that is not one
// of the named curves.
func (c Curve) Params() *Params {
	if int(c) >= len(params) || params[c] == nil {
		panic(fmt.Sprintf("backends: no curve has number %d", uint8(c)))
	}
	return params[c]
}

var params = [...]*Params{
	BLS12381: define(Params{ID: "bls12-381", Embedding: 12, G2Degree: 2, Style: ThreeFlags, Map: "SSWU",
		SecurityBits: 120, SecuritySource: barbulescu},
		"1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab",
		"73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001",
		4, "396c8c005555e1568c00aaab0000aaab"),
	BN254: define(Params{ID: "bn254", Embedding: 12, G2Degree: 2, Style: TwoFlags, Map: "SVDW",
		SecurityBits: 100, SecuritySource: barbulescu},
		"30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47",
		"30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001",
		3, "1"),
	BLS12377: define(Params{ID: "bls12-377", Embedding: 12, G2Degree: 2, Style: ThreeFlags, Map: "SSWU",
		SecurityBits: 120, SecuritySource: barbulescu},
		"1ae3a4617c510eac63b05c06ca1493b1a22d9f300f5138f1ef3622fba094800170b5d44300000008508c00000000001",
		"12ab655e9a2ca55660b44d1e5c37b00159aa76fed00000010a11800000000001",
		1, "170b5d44300000000000000000000000"),
	BLS24315: define(Params{ID: "bls24-315", Embedding: 24, G2Degree: 4, Style: ThreeFlags, Map: "SSWU",
		SecurityBits: 160, SecuritySource: guillevic},
		"4c23a02b586d650d3f7498be97c5eafdec1d01aa27a1ae0421ee5da52bde5026fe802ff40300001",
		"196deac24a9da12b25fc7ec9cf927a98c8c480ece644e36419d0c5fd00c00001",
		1, "2fe8030000000000"),
	BLS24317: define(Params{ID: "bls24-317", Embedding: 24, G2Degree: 4, Style: ThreeFlags, Map: "SSWU",
		SecurityBits: 160, SecuritySource: guillevic},
		"1058ca226f60892cf28fc5a0b7f9d039169a61e684c73446d6f339e43424bf7e8d512e565dab2aab",
		"443f917ea68dafc2d0b097f28d83cd491cd1e79196bf0e7af000000000000001",
		4, "3d512e5584a9aaab"),
	BW6633: define(Params{ID: "bw6-633", Embedding: 6, G2Degree: 1, Style: ThreeFlags, Map: "SSWU",
		SecurityBits: 124, SecuritySource: guillevic},
		"126633cc0f35f63fc1a174f01d72ab5a8fcd8c75d79d2c74e59769ad9bbda2f8152a6c0fadea490b8da9f5e83f57c497e0e8850edbda407d7b5ce7ab839c2253d369bd31147f73cd74916ea4570000d",
		"4c23a02b586d650d3f7498be97c5eafdec1d01aa27a1ae0421ee5da52bde5026fe802ff40300001",
		4, "3ddcf222feafdfb929d07457e986eba85ef08adcf439cdacc35623dffc1785bbcc886ef403000015"),
	BW6761: define(Params{ID: "bw6-761", Embedding: 6, G2Degree: 1, Style: ThreeFlags, Map: "SSWU",
		SecurityBits: 126, SecuritySource: guillevic},
		"122e824fb83ce0ad187c94004faff3eb926186a81d14688528275ef8087be41707ba638e584e91903cebaff25b423048689c8ed12f9fd9071dcd3dc73ebff2e98a116c25667a8f8160cf8aeeaf0a437e6913e6870000082f49d00000000008b",
		"1ae3a4617c510eac63b05c06ca1493b1a22d9f300f5138f1ef3622fba094800170b5d44300000008508c00000000001",
		-1, "ad1972339049ce762c77d5ac34cb12efc856a0853c9db94cc61c554757551c0c832ba4061000003b3de580000000007c"),
	BN254N: define(Params{ID: "bn254n", Embedding: 12, G2Degree: 2, Style: Prefixed, Map: "SVDW",
		SecurityBits: 100, SecuritySource: barbulescu},
		"2523648240000001ba344d80000000086121000000000013a700000000000013",
		"2523648240000001ba344d8000000007ff9f800000000010a10000000000000d",
		2, "1"),
	BN254CX: define(Params{ID: "bn254cx", Embedding: 12, G2Degree: 2, Style: Prefixed, Map: "SVDW",
		SecurityBits: 100, SecuritySource: barbulescu},
		"2400000008702a0db0bddf647a6366d3243fd6ee18093ee1be6623ef5c1b55b3",
		"2400000008702a0db0bddf647a6366d2c43fd6ee0cc906cebe11c0a636eb1f6d",
		2, "1"),
	FP256BN: define(Params{ID: "fp256bn", Embedding: 12, G2Degree: 2, Style: Prefixed, Map: "SVDW",
		SecurityBits: 100, SecuritySource: barbulescu},
		"fffffffffffcf0cd46e5f25eee71a49f0cdc65fb12980a82d3292ddbaed33013",
		"fffffffffffcf0cd46e5f25eee71a49e0cdc65fb1299921af62d536cd10b500d",
		3, "1"),
}

const (
	barbulescu = "Barbulescu and Duquesne, J. Cryptology 32 (2019), after the extended tower number field sieve"
	guillevic  = "Guillevic and Singh, ePrint 2019/885, as gnark-crypto quotes it"
)

// define completes p: moduli in hexadecimal, the small coefficient b, and the
// cofactor of G1 in hexadecimal.
func define(p Params, modulus, order string, b int64, cofactor string) *Params {
	p.P, p.R, p.Cofactor = hex(modulus), hex(order), hex(cofactor)
	p.B = new(big.Int).Mod(big.NewInt(b), p.P)
	name := strings.ToUpper(strings.ReplaceAll(p.ID, "-", ""))
	p.HashName = name + "G1_XMD:SHA-256_" + p.Map + "_RO_"
	p.FieldBytes, p.ScalarBytes = (p.P.BitLen()+7)/8, (p.R.BitLen()+7)/8
	prefix := 0
	if p.Style == Prefixed {
		prefix = 1
	}
	p.G1CompressedBytes = prefix + p.FieldBytes
	p.G2CompressedBytes = prefix + p.FieldBytes*p.G2Degree
	p.G1Bytes = prefix + 2*p.FieldBytes
	p.G2Bytes = prefix + 2*p.FieldBytes*p.G2Degree
	return &p
}

func hex(s string) *big.Int {
	v, ok := new(big.Int).SetString(s, 16)
	if !ok {
		panic("backends: bad constant " + s)
	}
	return v
}
