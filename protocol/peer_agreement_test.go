package protocol_test

import (
	"bytes"
	"math/rand"
	"strconv"
	"testing"

	"mpinlab/protocol"
)

// agree compares a suite with a peer in all that every dialect has.
func agree[P peer](t *testing.T, s *protocol.Suite, cases int, newPeer func(testing.TB) P) {
	for _, c := range []struct {
		name    string
		compare func(*testing.T, *protocol.Suite, peer, *rand.Rand)
	}{
		{"equal shares and sums", sameShares},
		{"equal tokens", sameTokens},
		{"equal messages", sameMessages},
		{"our client and their server", ourClient},
		{"their client and our server", theirClient},
		{"an authority of each", jointAuthorities},
	} {
		seeded(t, c.name, func(t *testing.T, rng *rand.Rand) {
			for range cases {
				c.compare(t, s, newPeer(t), rng)
			}
		})
	}
}

func sameShares(t *testing.T, s *protocol.Suite, p peer, rng *rand.Rand) {
	id := randomIdentity(rng)
	ours := must(s.Identity(id))
	for _, k := range edgeScalars(s, p, rng) {
		m := must(s.DecodeMasterSecret(k))
		sameBytes(t, "k·A", must(m.ClientShare(ours)).Bytes(), p.clientSecret(k, id))
		sameBytes(t, "k·Q", m.ServerShare().Bytes(), p.serverSecret(k))
	}
	w := newWorld(s, rng, 3)
	var client, server []byte
	for i, m := range w.masters {
		c, q := p.clientSecret(m.Bytes(), id), p.serverSecret(m.Bytes())
		if i == 0 {
			client, server = c, q
			continue
		}
		client, server = p.addG1(c, client), p.addG2(q, server)
	}
	sameBytes(t, "Σ s_i·A", w.clientSecret(ours).Bytes(), client)
	sameBytes(t, "Σ s_i·Q", w.server.Bytes(), server)
	c, q := w.clientSecret(ours), w.server
	sameBytes(t, "2s·A", must(protocol.CombineClientSecrets(c, c)).Bytes(), p.addG1(client, client))
	sameBytes(t, "2s·Q", must(protocol.CombineServerSecrets(q, q)).Bytes(), p.addG2(server, server))
}

// sameTokens takes PINs out and puts them back.
func sameTokens(t *testing.T, s *protocol.Suite, p peer, rng *rand.Rand) {
	w, name := newWorld(s, rng, 1), randomIdentity(rng)
	id := must(s.Identity(name))
	secret := w.clientSecret(id)
	for _, pin := range []int{0, 1, 9999, 10000, 10001, 19999, 1230000, p.greatestPIN(), rng.Intn(10000), rng.Intn(p.greatestPIN())} {
		factor := must(s.PINNumber(uint64(pin), 12))
		token := must(secret.Token(id, factor))
		sameBytes(t, "token, PIN "+strconv.Itoa(pin), token.Bytes(), p.token(name, pin, secret.Bytes()))
		if pin%10000 == 0 {
			sameBytes(t, "token, PIN "+strconv.Itoa(pin), token.Bytes(), secret.Bytes())
		}
		whole, _ := p.pass1(peerClient{id: name, pin: pin, token: token.Bytes()}, draw(p, rng))
		sameBytes(t, "secret, PIN "+strconv.Itoa(pin), must(token.Secret(id, factor)).Bytes(), whole)
	}
}

// sameMessages fixes x and y: U, U_T and V must be the same bytes.
func sameMessages(t *testing.T, s *protocol.Suite, p peer, rng *rand.Rand) {
	w, name := newWorld(s, rng, 2), randomIdentity(rng)
	u := w.user(string(name))
	for _, date := range peerDays(s, rng) {
		permit := w.permit(u.id, date)
		for _, x := range edgeScalars(s, p, rng) {
			y := draw(p, rng)
			ours := must(s.NewProver(u.id, must(u.token.Secret(u.id, w.pin(u.pin))), permit, drawing(s, x)))
			secret, theirs := p.pass1(peerClient{name, u.pin, u.token.Bytes(), date, permitBytes(permit)}, x)
			sameBytes(t, "U, "+date.String(), ours.Pass1().U, theirs.U)
			sameBytes(t, "U_T, "+date.String(), ours.Pass1().UT, theirs.UT)
			sameBytes(t, "V, "+date.String(), must(ours.Pass2(y)), p.pass2(secret, x, y))
		}
	}
}

func ourClient(t *testing.T, s *protocol.Suite, p peer, rng *rand.Rand) {
	w, name := newWorld(s, rng, 1+rng.Intn(3)), randomIdentity(rng)
	u := w.user(string(name))
	for _, date := range peerDays(s, rng) {
		permit := w.permit(u.id, date)
		login := func(what string, name []byte, pin int, permit *protocol.Permit, want int) {
			t.Helper()
			ours := w.prover(u, pin, permit)
			y := draw(p, rng)
			tr := &protocol.Transcript{Date: date, U: committed(ours.Pass1(), date), Y: y, V: must(ours.Pass2(y))}
			theirVerdict(t, what+", "+date.String(), p.verify(name, w.server.Bytes(), tr), want)
		}
		login("right PIN", name, u.pin, permit, accepted)
		login("wrong PIN", name, wrongPIN(u.pin, rng), permit, badPIN)
		login("another's name", append(bytes.Clone(name), 'x'), u.pin, permit, badPIN)
		if date != 0 {
			login("permit of another day", name, u.pin, w.permit(u.id, otherDay(date)), badPIN)
		}
	}
}

func theirClient(t *testing.T, s *protocol.Suite, p peer, rng *rand.Rand) {
	k, name, pin := draw(p, rng), randomIdentity(rng), rng.Intn(10000)
	token := p.token(name, pin, p.clientSecret(k, name))
	verifier := must(s.NewVerifier(must(s.DecodeServerSecret(p.serverSecret(k)))))
	for _, date := range peerDays(s, rng) {
		login := func(what string, name []byte, c peerClient, want error) {
			t.Helper()
			x := draw(p, rng)
			secret, m := p.pass1(c, x)
			challenge, err := verifier.Challenge(must(s.Identity(name)), m, date, rng)
			if err != nil {
				t.Fatalf("%s, %s: %v", what, date, err)
			}
			is(t, what+", "+date.String(), challenge.Verify(p.pass2(secret, x, challenge.Y())), want)
		}
		permit := func(date protocol.Date) []byte {
			if date == 0 {
				return nil
			}
			return p.(milagroPeer).permit(k, name, date)
		}
		login("right PIN", name, peerClient{name, pin, token, date, permit(date)}, nil)
		login("wrong PIN", name, peerClient{name, wrongPIN(pin, rng), token, date, permit(date)}, protocol.ErrRejected)
		login("another's name", append(bytes.Clone(name), 'x'), peerClient{name, pin, token, date, permit(date)}, protocol.ErrRejected)
		if date != 0 {
			other := otherDay(date)
			login("permit of another day", name, peerClient{name, pin, token, other, permit(other)}, protocol.ErrRejected)
		}
	}
}

// jointAuthorities is a deployment in which each side runs one authority: the
// user adds the shares up with their code and the server with ours.
func jointAuthorities(t *testing.T, s *protocol.Suite, p peer, rng *rand.Rand) {
	name, pin := randomIdentity(rng), rng.Intn(10000)
	id := must(s.Identity(name))
	ours, theirs := must(s.NewMasterSecret(rng)), draw(p, rng)
	server := must(protocol.CombineServerSecrets(ours.ServerShare(), must(s.DecodeServerSecret(p.serverSecret(theirs)))))
	secret := p.addG1(must(ours.ClientShare(id)).Bytes(), p.clientSecret(theirs, name))
	sameBytes(t, "s·A", must(protocol.CombineClientSecrets(must(s.DecodeClientSecret(p.clientSecret(theirs, name))), must(ours.ClientShare(id)))).Bytes(), secret)
	for _, date := range peerDays(s, rng) {
		var permit []byte
		if date != 0 {
			permit = p.addG1(p.(milagroPeer).permit(theirs, name, date), must(ours.PermitShare(id, date)).Bytes())
		}
		x := draw(p, rng)
		whole, m := p.pass1(peerClient{name, pin, p.token(name, pin, secret), date, permit}, x)
		challenge := must(must(s.NewVerifier(server)).Challenge(id, m, date, rng))
		v := p.pass2(whole, x, challenge.Y())
		is(t, "our server, "+date.String(), challenge.Verify(v), nil)
		tr := &protocol.Transcript{Date: date, U: committed(m, date), Y: challenge.Y(), V: v}
		theirVerdict(t, "same transcript, "+date.String(), p.verify(name, server.Bytes(), tr), accepted)
	}
}
