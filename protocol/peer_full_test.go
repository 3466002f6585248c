package protocol_test

import (
	"bytes"
	"math/rand"
	"strconv"
	"testing"

	"github.com/hyperledger/fabric-amcl/amcl"
	"github.com/hyperledger/fabric-amcl/amcl/FP256BN"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// fullPeer is a peer with M-Pin Full.
type fullPeer interface {
	milagroPeer
	// multiple is k·P, identityMultiple k·A.
	multiple(k, point []byte) []byte
	identityMultiple(k, id []byte) []byte
	// loginPoint is A' as their server computes it.
	loginPoint(id []byte, date protocol.Date) []byte
	hashAll(id []byte, tr *protocol.FullTranscript) []byte
	clientKey(c peerClient, tr *protocol.FullTranscript, x, r []byte) []byte
	serverKey(id, server []byte, tr *protocol.FullTranscript, w []byte) []byte
}

func TestFullAgreesWithAMCL(t *testing.T) {
	eachBackend(t, protocol.SuiteID{Dialect: protocol.Milagro, Curve: backends.FP256BN}, func(t *testing.T, s *protocol.Suite) {
		agreeFull(t, s, casesFor(s.Backend()), func(t testing.TB) fullPeer { return amclPeer{t} })
	})
}

func TestFullAgreesWithMilagroJS(t *testing.T) {
	node, folder := findMilagroJS(t)
	for curve, name := range map[backends.Curve]string{
		backends.FP256BN: "FP256BN",
		backends.BN254N:  "BN254",
		backends.BN254CX: "BN254CX",
	} {
		t.Run(curve.String(), func(t *testing.T) {
			t.Parallel()
			process := startMilagroJS(t, node, folder, name)
			field := curve.Params().FieldBytes
			eachBackend(t, protocol.SuiteID{Dialect: protocol.Milagro, Curve: curve}, func(t *testing.T, s *protocol.Suite) {
				peer := func(t testing.TB) fullPeer { return jsPeer{t, process, field} }
				agreeFull(t, s, 1, peer)
				seeded(t, "signatures under a key pair", func(t *testing.T, rng *rand.Rand) {
					sameSignatures(t, s, jsPeer{t, process, field}, rng)
				})
			})
		})
	}
}

func agreeFull(t *testing.T, s *protocol.Suite, cases int, newPeer func(testing.TB) fullPeer) {
	for _, c := range []struct {
		name    string
		compare func(*testing.T, *protocol.Suite, fullPeer, *rand.Rand)
	}{
		{"equal hashes and keys", sameKeys},
		{"our client and their server, with a key", ourFullClient},
		{"their client and our server, with a key", theirFullClient},
	} {
		seeded(t, c.name, func(t *testing.T, rng *rand.Rand) {
			for range cases {
				c.compare(t, s, newPeer(t), rng)
			}
		})
	}
}

// sameKeys fixes a transcript. PINs that are longer than four digits are there
// too: the peers take their low 14 bits in the key and four digits elsewhere.
func sameKeys(t *testing.T, s *protocol.Suite, p fullPeer, rng *rand.Rand) {
	w, name := newWorld(s, rng, 2), randomIdentity(rng)
	u := w.user(string(name))
	ready := must(s.NewFullToken(u.id, u.token))
	for _, date := range peerDays(s, rng) {
		x, y, r, ws := draw(p, rng), draw(p, rng), draw(p, rng), draw(p, rng)
		login := must(s.DecodeG1(p.loginPoint(name, date)))
		ourX, ourW := must(s.DecodeScalar(x)), must(s.DecodeScalar(ws))
		tr := &protocol.FullTranscript{
			Transcript: protocol.Transcript{Date: date, U: s.EncodeG1(login.Mul(ourX)), Y: y, V: p.identityMultiple(draw(p, rng), name)},
			R:          s.EncodeG1(u.id.Point().Mul(must(s.DecodeScalar(r)))), W: s.EncodeG1(login.Mul(ourW)),
		}
		sameBytes(t, "R", tr.R, p.identityMultiple(r, name))
		sameBytes(t, "W", tr.W, p.multiple(ws, p.loginPoint(name, date)))
		sameBytes(t, "H", must(s.FullTranscriptHash(u.id, tr)), p.hashAll(name, tr))
		pins := []int{u.pin}
		if date == 0 {
			pins = append(pins, 9999, 10000, 16384)
		}
		for _, pin := range pins {
			key := must(ready.Key(tr, x, r, must(s.PINNumber(uint64(pin), 12)))).Unconfirmed()
			sameBytes(t, "client's key, PIN "+strconv.Itoa(pin), key, p.clientKey(peerClient{name, pin, u.token.Bytes(), date, nil}, tr, x, r))
		}
		key := must(w.verifier.FullKey(u.id, tr, ws)).Unconfirmed()
		sameBytes(t, "server's key", key, p.serverKey(name, w.server.Bytes(), tr, ws))
		sameBytes(t, "both keys", must(ready.Key(tr, x, r, w.pin(u.pin))).Unconfirmed(), key)
	}
}

func ourFullClient(t *testing.T, s *protocol.Suite, p fullPeer, rng *rand.Rand) {
	w, name := newWorld(s, rng, 2), randomIdentity(rng)
	u := w.user(string(name))
	ready := must(s.NewFullToken(u.id, u.token))
	for _, date := range peerDays(s, rng) {
		run := func(pin int) (equal bool) {
			prover := must(ready.Prover(w.permit(u.id, date), rng, w.pin(pin)))
			first, y, ws := prover.Pass1(), draw(p, rng), draw(p, rng)
			reply := protocol.FullReply{Y: y, W: p.multiple(ws, p.loginPoint(name, date))}
			v, key, err := prover.Pass2(reply)
			if err != nil {
				t.Fatal(err)
			}
			tr := &protocol.FullTranscript{
				Transcript: protocol.Transcript{Date: date, U: committed(first.Pass1, date), Y: y, V: v}, R: first.R, W: reply.W}
			want := accepted
			if pin != u.pin {
				want = badPIN
			}
			theirVerdict(t, "V, "+date.String(), p.verify(name, w.server.Bytes(), &tr.Transcript), want)
			return bytes.Equal(key.Unconfirmed(), p.serverKey(name, w.server.Bytes(), tr, ws))
		}
		if !run(u.pin) {
			t.Errorf("%s: different keys", date)
		}
		if run(wrongPIN(u.pin, rng)) {
			t.Errorf("%s: the same key with a wrong PIN", date)
		}
	}
}

func theirFullClient(t *testing.T, s *protocol.Suite, p fullPeer, rng *rand.Rand) {
	w, name := newWorld(s, rng, 2), randomIdentity(rng)
	u := w.user(string(name))
	for _, date := range peerDays(s, rng) {
		x, r := draw(p, rng), draw(p, rng)
		c := peerClient{name, u.pin, u.token.Bytes(), date, permitBytes(w.permit(u.id, date))}
		secret, first := p.pass1(c, x)
		ours := must(w.verifier.FullChallenge(u.id, protocol.FullPass1{Pass1: first, R: p.identityMultiple(r, name)}, date, rng))
		reply := ours.Reply()
		v := p.pass2(secret, x, reply.Y)
		key, err := ours.Verify(v)
		if err != nil {
			t.Fatalf("%s: %v", date, err)
		}
		tr := &protocol.FullTranscript{
			Transcript: protocol.Transcript{Date: date, U: committed(first, date), Y: reply.Y, V: v}, R: p.identityMultiple(r, name), W: reply.W}
		sameBytes(t, "key, "+date.String(), key.Unconfirmed(), p.clientKey(c, tr, x, r))
	}
}

// sameSignatures compares the form without key escrow with the JavaScript
// library's, in both directions.
func sameSignatures(t *testing.T, s *protocol.Suite, p jsPeer, rng *rand.Rand) {
	w, name, message := newWorld(s, rng, 2), randomIdentity(rng), randomBytes(rng, 1+rng.Intn(100))
	id, z := must(s.Identity(name)), draw(p, rng)
	pair := must(s.DecodeKeyPair(z))
	var public []byte
	p.do("GET_DVS_KEYPAIR", nil, z, &public)
	sameBytes(t, "Pa", pair.Public().Bytes(), public)
	bound := must(pair.BindSecret(w.clientSecret(id)))
	sameBytes(t, "z·s·A", bound.Bytes(), p.multiple(z, w.clientSecret(id).Bytes()))
	token := must(bound.Token(id, w.pin(1234)))
	sameBytes(t, "token", token.Bytes(), p.token(name, 1234, bound.Bytes()))

	time := rng.Int63n(1 << 31)
	for pin, want := range map[int]int{1234: accepted, 4321: badPIN} {
		sig := must(s.Sign(id, must(token.Secret(id, w.pin(pin))), nil, time, message, rng))
		var a, y []byte
		code, _ := p.process.call(t, "SERVER", jsSHA256, 0, &a, nil, &y, w.server.Bytes(), sig.U, nil, sig.V, nil, nil, name, time, message, public)
		theirVerdict(t, "our signature", code, want)
	}

	m, _, v := p.onePass(peerClient{id: name, pin: 1234, token: token.Bytes()}, draw(p, rng), time, message)
	sig := &protocol.Signature{OnePassProof: protocol.OnePassProof{Time: time, Pass1: m, V: v}}
	key := must(s.DecodePublicKey(public))
	is(t, "their signature", w.verifier.VerifySignatureKey(id, key, 0, sig, message), nil)
	is(t, "their signature of another message", w.verifier.VerifySignatureKey(id, key, 0, sig, append(message, 0)), protocol.ErrRejected)
	is(t, "their signature without the key", w.verifier.VerifySignature(id, 0, sig, message), protocol.ErrRejected)
}

var (
	_ fullPeer = amclPeer{}
	_ fullPeer = jsPeer{}
)

func (p amclPeer) multiple(k, point []byte) []byte {
	out := make([]byte, amclG1)
	p.ok(FP256BN.MPIN_GET_G1_MULTIPLE(nil, 0, bytes.Clone(k), bytes.Clone(point), out))
	return out
}

func (p amclPeer) identityMultiple(k, id []byte) []byte {
	out := make([]byte, amclG1)
	p.ok(FP256BN.MPIN_GET_G1_MULTIPLE(nil, 1, bytes.Clone(k), p.hash(id), out))
	return out
}

func (p amclPeer) loginPoint(id []byte, date protocol.Date) []byte {
	a, at := make([]byte, amclG1), make([]byte, amclG1)
	FP256BN.MPIN_SERVER_1(amcl.SHA256, int(date), bytes.Clone(id), a, at)
	if date != 0 {
		return at
	}
	return a
}

func (p amclPeer) hashAll(id []byte, tr *protocol.FullTranscript) []byte {
	u, ut := split(&tr.Transcript)
	return FP256BN.MPIN_HASH_ALL(amcl.SHA256, p.hash(id), u, ut, tr.V, tr.Y, tr.R, tr.W)
}

func (p amclPeer) clientKey(c peerClient, tr *protocol.FullTranscript, x, r []byte) []byte {
	fromToken, fromPoint, key := make([]byte, 12*amclField), make([]byte, 12*amclField), make([]byte, 16)
	p.ok(FP256BN.MPIN_PRECOMPUTE(bytes.Clone(c.token), p.hash(c.id), fromToken, fromPoint))
	p.ok(FP256BN.MPIN_CLIENT_KEY(amcl.SHA256, fromToken, fromPoint, c.pin, bytes.Clone(r), bytes.Clone(x),
		p.hashAll(c.id, tr), bytes.Clone(tr.W), key))
	return key
}

func (p amclPeer) serverKey(id, server []byte, tr *protocol.FullTranscript, w []byte) []byte {
	u, ut := split(&tr.Transcript)
	key := make([]byte, 16)
	p.ok(FP256BN.MPIN_SERVER_KEY(amcl.SHA256, bytes.Clone(tr.R), bytes.Clone(server), bytes.Clone(w),
		p.hashAll(id, tr), p.loginPoint(id, 0), u, ut, key))
	return key
}

func (p jsPeer) multiple(k, point []byte) (out []byte) {
	p.do("GET_G1_MULTIPLE", nil, 0, k, point, &out)
	return out
}

func (p jsPeer) identityMultiple(k, id []byte) (out []byte) {
	p.do("GET_G1_MULTIPLE", nil, 1, k, p.hash(id), &out)
	return out
}

func (p jsPeer) loginPoint(id []byte, date protocol.Date) []byte {
	var a, at []byte
	p.process.call(p.t, "SERVER_1", jsSHA256, date, id, &a, &at)
	if date != 0 {
		return at
	}
	return a
}

func (p jsPeer) hashAll(id []byte, tr *protocol.FullTranscript) []byte {
	u, ut := split(&tr.Transcript)
	_, h := p.process.call(p.t, "HASH_ALL", jsSHA256, p.hash(id), u, ut, tr.V, tr.Y, tr.R, tr.W)
	return h
}

func (p jsPeer) clientKey(c peerClient, tr *protocol.FullTranscript, x, r []byte) (key []byte) {
	var fromToken, fromPoint []byte
	p.do("PRECOMPUTE", c.token, p.hash(c.id), &fromToken, &fromPoint)
	p.do("CLIENT_KEY", jsSHA256, fromToken, fromPoint, c.pin, r, x, p.hashAll(c.id, tr), tr.W, &key)
	return key
}

func (p jsPeer) serverKey(id, server []byte, tr *protocol.FullTranscript, w []byte) (key []byte) {
	u, ut := split(&tr.Transcript)
	p.do("SERVER_KEY", jsSHA256, tr.R, server, w, p.hashAll(id, tr), p.loginPoint(id, 0), u, ut, &key)
	return key
}
