package protocol_test

import (
	"bytes"
	"fmt"
	"time"

	"mpinlab/backends"
	"mpinlab/backends/gnark"
	"mpinlab/protocol"
)

// exampleUser is a suite, its server and a user with the PIN 1234.
func exampleUser() (*protocol.Suite, *protocol.Verifier, *protocol.MasterSecret, *protocol.Identity) {
	suite := must(protocol.New(protocol.SuiteID{Dialect: protocol.RFC9380, Curve: backends.BLS12381}, must(gnark.NewCurve(backends.BLS12381))))
	master := must(suite.NewMasterSecret(nil))
	return suite, must(suite.NewVerifier(master.ServerShare())), master, must(suite.Identity([]byte("alice@example.com")))
}

// A log-in in one message. The server accepts it once.
func ExampleOnePassVerifier() {
	suite, verifier, master, alice := exampleUser()
	cache := must(protocol.NewReplayCache(protocol.ReplayWindow{Past: time.Minute, Future: 10 * time.Second, Capacity: 100_000}))
	server := must(protocol.NewOnePassVerifier(verifier, cache))

	proof := must(suite.NewOnePass(alice, must(master.ClientShare(alice)), nil, time.Now().Unix(), nil))
	fmt.Println("first:", server.Verify(alice, 0, proof))
	fmt.Println("again:", server.Verify(alice, 0, proof))
	// Output:
	// first: <nil>
	// again: replayed proof
}

// A log-in from which both sides take a key that the other has confirmed.
func ExampleFullToken() {
	suite, verifier, master, alice := exampleUser()
	pin := must(suite.PIN("1234"))
	token := must(must(master.ClientShare(alice)).Token(alice, pin))
	ready := must(suite.NewFullToken(alice, token)) // once, at leisure

	client := must(ready.Prover(nil, nil, pin))
	challenge := must(verifier.FullChallenge(alice, client.Pass1(), 0, nil))
	v, clientKey, err := client.Pass2(challenge.Reply())
	if err != nil {
		panic(err)
	}
	serverKey := must(challenge.Verify(v))

	// The client's tag travels with V, the server's with the verdict.
	a := must(serverKey.Confirm(clientKey.Tag()))
	b := must(clientKey.Confirm(serverKey.Tag()))
	fmt.Println(len(a), "bytes, equal:", bytes.Equal(a, b))
	// Output: 16 bytes, equal: true
}

// A signature that the authorities cannot make: the client binds its secret to
// a key pair of its own, and the server has the public key on record.
func ExampleVerifier_VerifySignatureKey() {
	suite, verifier, master, alice := exampleUser()
	pair := must(suite.NewKeyPair(nil))
	pin := must(suite.PIN("1234"))
	token := must(must(pair.BindSecret(must(master.ClientShare(alice)))).Token(alice, pin))

	sig := must(suite.Sign(alice, must(token.Secret(alice, pin)), nil, time.Now().Unix(), []byte("pay 10 to Bob"), nil))
	fmt.Println(verifier.VerifySignatureKey(alice, pair.Public(), 0, sig, []byte("pay 10 to Bob")))
	fmt.Println(verifier.VerifySignatureKey(alice, pair.Public(), 0, sig, []byte("pay 99 to Bob")))
	// Output:
	// <nil>
	// proof rejected
}

// A lock-out policy with time permits: the client proves that U belongs to U_T,
// so that a failure for which there is no PIN error tried no PIN and need not
// count.
func ExampleProver_ProveBinding() {
	suite, verifier, master, alice := exampleUser()
	const today = protocol.Date(20780)
	token := must(must(master.ClientShare(alice)).Token(alice, must(suite.PIN("1234"))))
	permit := must(master.PermitShare(alice, today))

	entered := must(token.Secret(alice, must(suite.PIN("1243"))))
	client := must(suite.NewProver(alice, entered, permit, nil))
	pass1, proof := client.Pass1(), must(client.ProveBinding(nil))
	challenge := must(verifier.Challenge(alice, pass1, today, nil))
	v := must(client.Pass2(challenge.Y()))

	fmt.Println(challenge.Verify(v))
	failed := &protocol.FailedLogin{Date: today, Pass1: pass1, Y: challenge.Y(), V: v}
	delta, err := verifier.PINError(alice, failed, protocol.FourDigits)
	counts := err == nil || suite.VerifyBinding(alice, today, pass1, proof) != nil
	fmt.Println("PIN error", delta, "counts:", counts)
	// Output:
	// proof rejected
	// PIN error 9 counts: true
}
