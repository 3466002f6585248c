package protocol_test

import (
	"bytes"
	"math"
	"math/rand"
	"testing"

	"github.com/hyperledger/fabric-amcl/core"
	"github.com/hyperledger/fabric-amcl/core/FP256BN"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// TestAgreesWithMIRACLCore holds miracl-core/fp256bn against the M-Pin of
// MIRACL Core, under the default domain separation tag and under others of
// short, usual and oversize length.
func TestAgreesWithMIRACLCore(t *testing.T) {
	eachBackend(t, protocol.SuiteID{Dialect: protocol.MIRACLCore, Curve: backends.FP256BN}, func(t *testing.T, s *protocol.Suite) {
		t.Run("default tag", func(t *testing.T) {
			agree(t, s, casesFor(s.Backend()), under("FP256BNG1_XMD:SHA-256_SVDW_NU_MPIN"))
		})
		seeded(t, "other tags", func(t *testing.T, rng *rand.Rand) {
			for _, length := range []int{1, 16 + rng.Intn(100), 255, 256 + rng.Intn(100)} {
				dst := string(randomBytes(rng, length))
				tagged := must(s.WithIdentityDST(dst))
				p := under(dst)(t)
				sameShares(t, tagged, p, rng)
				ourClient(t, tagged, p, rng)
				theirClient(t, tagged, p, rng)
			}
		})
	})
}

// under makes a peer that hashes identities under the given tag.
func under(dst string) func(testing.TB) corePeer {
	return func(t testing.TB) corePeer { return corePeer{t, dst} }
}

// corePeer calls MIRACL Core. Its functions write into the slices they are
// handed, so each call gets copies.
type corePeer struct {
	t   testing.TB
	dst string
}

var _ peer = corePeer{}

const (
	coreField = int(FP256BN.MODBYTES)
	coreG1    = 1 + 2*coreField
	coreG2    = 1 + 4*coreField
)

// ok ends the test if a function of MIRACL Core returned an error code.
func (p corePeer) ok(code int) {
	p.t.Helper()
	if code != accepted {
		p.t.Fatalf("MIRACL Core returned %d", code)
	}
}

func (p corePeer) random(seed []byte) []byte {
	rng := core.NewRAND()
	rng.Seed(len(seed), bytes.Clone(seed))
	k := make([]byte, coreField)
	p.ok(FP256BN.MPIN_RANDOM_GENERATE(rng, k))
	return k
}

// greatestPIN is what an int32 holds: MIRACL Core converts the PIN before it
// reduces it.
func (p corePeer) greatestPIN() int { return math.MaxInt32 }

// point is what MIRACL Core works on in an identity's place.
func (p corePeer) point(id []byte) []byte {
	a := make([]byte, coreG1)
	FP256BN.MPIN_ENCODE_TO_CURVE([]byte(p.dst), bytes.Clone(id), a)
	return a
}

func (p corePeer) clientSecret(k, id []byte) []byte {
	c := make([]byte, coreG1)
	p.ok(FP256BN.MPIN_GET_CLIENT_SECRET(bytes.Clone(k), p.point(id), c))
	return c
}

func (p corePeer) serverSecret(k []byte) []byte {
	q := make([]byte, coreG2)
	p.ok(FP256BN.MPIN_GET_SERVER_SECRET(bytes.Clone(k), q))
	return q
}

// MIRACL Core has no function of M-Pin's own for sums of shares.

func (p corePeer) addG1(a, b []byte) []byte {
	sum := FP256BN.ECP_fromBytes(a)
	sum.Add(FP256BN.ECP_fromBytes(b))
	c := make([]byte, coreG1)
	sum.ToBytes(c, false)
	return c
}

func (p corePeer) addG2(a, b []byte) []byte {
	sum := FP256BN.ECP2_fromBytes(a)
	sum.Add(FP256BN.ECP2_fromBytes(b))
	c := make([]byte, coreG2)
	sum.ToBytes(c, false)
	return c
}

func (p corePeer) token(id []byte, pin int, secret []byte) []byte {
	token := bytes.Clone(secret)
	p.ok(FP256BN.MPIN_EXTRACT_PIN(p.point(id), pin, token))
	return token
}

func (p corePeer) pass1(c peerClient, x []byte) (secret []byte, m protocol.Pass1) {
	secret, m.U = make([]byte, coreG1), make([]byte, coreG1)
	p.ok(FP256BN.MPIN_CLIENT_1(p.point(c.id), nil, bytes.Clone(x), c.pin, bytes.Clone(c.token), secret, m.U))
	return secret, m
}

func (p corePeer) pass2(secret, x, y []byte) []byte {
	v := bytes.Clone(secret)
	p.ok(FP256BN.MPIN_CLIENT_2(bytes.Clone(x), bytes.Clone(y), v))
	return v
}

func (p corePeer) verify(id, server []byte, tr *protocol.Transcript) int {
	return FP256BN.MPIN_SERVER(p.point(id), bytes.Clone(tr.Y), bytes.Clone(server), bytes.Clone(tr.U), bytes.Clone(tr.V))
}
