package protocol_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/hyperledger/fabric-amcl/amcl"
	"github.com/hyperledger/fabric-amcl/amcl/FP256BN"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// TestAgreesWithAMCL holds milagro/fp256bn against the M-Pin of AMCL 3.
func TestAgreesWithAMCL(t *testing.T) {
	eachBackend(t, protocol.SuiteID{Dialect: protocol.Milagro, Curve: backends.FP256BN}, func(t *testing.T, s *protocol.Suite) {
		agreeMilagro(t, s, casesFor(s.Backend()), func(t testing.TB) amclPeer { return amclPeer{t} }, nil)
	})
}

// amclPeer calls AMCL 3. Its functions write into the slices they are handed,
// so each call gets copies.
type amclPeer struct{ t testing.TB }

var _ milagroPeer = amclPeer{}

const (
	amclField = int(FP256BN.MODBYTES)
	amclG1    = 1 + 2*amclField
	amclG2    = 4 * amclField
)

// ok ends the test if a function of AMCL returned an error code.
func (p amclPeer) ok(code int) {
	p.t.Helper()
	if code != accepted {
		p.t.Fatalf("AMCL returned %d", code)
	}
}

func (p amclPeer) random(seed []byte) []byte {
	rng := amcl.NewRAND()
	rng.Seed(len(seed), bytes.Clone(seed))
	k := make([]byte, amclField)
	p.ok(FP256BN.MPIN_RANDOM_GENERATE(rng, k))
	return k
}

// greatestPIN is what an int32 holds: AMCL converts the PIN before it reduces
// it.
func (p amclPeer) greatestPIN() int { return math.MaxInt32 }

func (p amclPeer) hash(id []byte) []byte {
	return FP256BN.MPIN_HASH_ID(amcl.SHA256, bytes.Clone(id))
}

func (p amclPeer) clientSecret(k, id []byte) []byte {
	c := make([]byte, amclG1)
	p.ok(FP256BN.MPIN_GET_CLIENT_SECRET(bytes.Clone(k), p.hash(id), c))
	return c
}

func (p amclPeer) serverSecret(k []byte) []byte {
	q := make([]byte, amclG2)
	p.ok(FP256BN.MPIN_GET_SERVER_SECRET(bytes.Clone(k), q))
	return q
}

func (p amclPeer) permit(k, id []byte, date protocol.Date) []byte {
	c := make([]byte, amclG1)
	p.ok(FP256BN.MPIN_GET_CLIENT_PERMIT(amcl.SHA256, int(date), bytes.Clone(k), p.hash(id), c))
	return c
}

func (p amclPeer) addG1(a, b []byte) []byte {
	c := make([]byte, amclG1)
	p.ok(FP256BN.MPIN_RECOMBINE_G1(bytes.Clone(a), bytes.Clone(b), c))
	return c
}

func (p amclPeer) addG2(a, b []byte) []byte {
	c := make([]byte, amclG2)
	p.ok(FP256BN.MPIN_RECOMBINE_G2(bytes.Clone(a), bytes.Clone(b), c))
	return c
}

func (p amclPeer) token(id []byte, pin int, secret []byte) []byte {
	token := bytes.Clone(secret)
	p.ok(FP256BN.MPIN_EXTRACT_PIN(amcl.SHA256, bytes.Clone(id), pin, token))
	return token
}

func (p amclPeer) pass1(c peerClient, x []byte) (secret []byte, m protocol.Pass1) {
	secret, m.U = make([]byte, amclG1), make([]byte, amclG1)
	if c.date != 0 {
		m.UT = make([]byte, amclG1)
	}
	p.ok(FP256BN.MPIN_CLIENT_1(amcl.SHA256, int(c.date), bytes.Clone(c.id), nil, bytes.Clone(x), c.pin,
		bytes.Clone(c.token), secret, m.U, m.UT, bytes.Clone(c.permit)))
	return secret, m
}

func (p amclPeer) pass2(secret, x, y []byte) []byte {
	v := bytes.Clone(secret)
	p.ok(FP256BN.MPIN_CLIENT_2(bytes.Clone(x), bytes.Clone(y), v))
	return v
}

func (p amclPeer) verify(id, server []byte, tr *protocol.Transcript) int {
	a, at := make([]byte, amclG1), make([]byte, amclG1)
	FP256BN.MPIN_SERVER_1(amcl.SHA256, int(tr.Date), bytes.Clone(id), a, at)
	u, ut := split(tr)
	return FP256BN.MPIN_SERVER_2(int(tr.Date), a, at, bytes.Clone(tr.Y), bytes.Clone(server), u, ut, bytes.Clone(tr.V), nil, nil)
}

// split puts a transcript's commitment where the peers look for it: U without
// a permit, U_T with one, the other nil.
func split(tr *protocol.Transcript) (u, ut []byte) {
	if tr.Date != 0 {
		return nil, bytes.Clone(tr.U)
	}
	return bytes.Clone(tr.U), nil
}

func (p amclPeer) challenge(time int64, u []byte) []byte {
	y := make([]byte, amclField)
	FP256BN.MPIN_GET_Y(amcl.SHA256, int(time), bytes.Clone(u), y)
	return y
}

func (p amclPeer) prove(c peerClient, x []byte, time int64, message []byte) *protocol.Transcript {
	p.noMessage(message)
	v, y := make([]byte, amclG1), make([]byte, amclField)
	m := protocol.Pass1{U: make([]byte, amclG1), UT: make([]byte, amclG1)}
	p.ok(FP256BN.MPIN_CLIENT(amcl.SHA256, int(c.date), bytes.Clone(c.id), nil, bytes.Clone(x), c.pin,
		bytes.Clone(c.token), v, m.U, m.UT, bytes.Clone(c.permit), int(time), y))
	return &protocol.Transcript{Date: c.date, U: committed(m, c.date), Y: y, V: v}
}

func (p amclPeer) verifyOnePass(id, server []byte, tr *protocol.Transcript, time int64, message []byte) int {
	p.noMessage(message)
	a, at, y := make([]byte, amclG1), make([]byte, amclG1), make([]byte, amclField)
	u, ut := split(tr)
	return FP256BN.MPIN_SERVER(amcl.SHA256, int(tr.Date), a, at, y, bytes.Clone(server), u, ut, bytes.Clone(tr.V),
		nil, nil, bytes.Clone(id), int(time))
}

func (p amclPeer) noMessage(message []byte) {
	if message != nil {
		p.t.Fatal("AMCL's one-pass functions take no message")
	}
}
